# SPDX-License-Identifier: MIT
"""An operator's daily work: log, metrics, restarts while viewers are connected, and the developer's start."""
import contextlib
import json
import re
import shlex
import signal
import subprocess

import pytest
from load import Load
from stack import BUILD, ROOT, Stack, long_interval, processes
from test_t0090_scripts import Site

SAME = {"Sec-Fetch-Site": "same-origin"}
EVENTS = set(re.findall(r"^\.It Li (\w+)$", (ROOT / "src" / "tft-dashboard.8").read_text(), re.M))


# The log

def told(stack, event):
    """Whether the log has it after one more request, which nothing has cached."""
    stack.get("/?sort=name&x=1")
    return event in stack.logs()


def busy(stack):
    """Requests of every kind, an action, a refused one, a failing upstream, Redis down for a while, and a stop."""
    stack.wait_fleet()
    for path in ("/", "/heatmap?metric=cpu", "/nothing", "/api/v1/status", "/?sort=nonsense", "/" + "x" * 600):
        stack.get(path, headers={"User-Agent": 'a" ev=forged \\ \x1b[2J', "Referer": "x=y"})
    stack.post("/refresh", {"confirm": "1"}, headers=SAME)
    stack.post("/refresh", {"confirm": "1"}, headers={"Origin": 'http://"ev=forged".example\\'})
    stack.upstream.predictions.status = 500
    stack.redis.delete("tft:gate:flush")
    stack.post("/refresh", {"confirm": "1"}, headers=SAME)
    stack.wait(lambda: told(stack, "refresh_failed"), what="a failed refresh")
    stack.stop_redis(signal.SIGKILL)
    stack.wait(lambda: told(stack, "redis_down"), what="a word about Redis")
    for service in stack.hosts[0].workers:
        service.stop()
    return [line for line in stack.logs().splitlines() if "Sanitizer" not in line]


def from_logfmt(line):
    """As a logfmt parser reads it: blanks separate, quotes group, a backslash escapes."""
    assert re.fullmatch(r'(?:[a-z_]+=(?:[^\s"=\\]+|"(?:[^"\\]|\\.)*")(?: |$))+', line), line
    return dict(word.split("=", 1) for word in shlex.split(line))


@pytest.mark.parametrize("kind, parse", [("logfmt", from_logfmt), ("json", json.loads)])
def test_every_line_of_the_log_is_of_the_chosen_form(kind, parse):
    with Stack(workers=2, interval=long_interval(), env={"TFT_LOG_FORMAT": kind, "TFT_ANONYMOUS": "operator"}) as stack:
        lines = [parse(line) for line in busy(stack)]
    for line in lines:
        assert list(line)[:6] == ["ts", "level", "node", "pid", "req", "ev"], line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
        assert line["level"] in ("error", "warning", "info", "debug")
    seen = {line["ev"] for line in lines}
    assert seen >= {"start", "stop", "refresh", "refresh_failed", "audit", "action_refused", "redis_down"}
    assert seen <= EVENTS


# Metrics

def series(text, name):
    return dict(re.findall(rf"^tft_dashboard_{name}(\{{[^}}]*\}})? ([0-9.e+-]+)$", text, re.M))


def documented(section):
    """The series that a section of the manual names."""
    manual = (ROOT / "src" / "tft-dashboard-protocol.7").read_text()
    return set(re.findall(r"^\.It Li (tft_\w+)$", re.search(rf"^\.Ss {section}\n(.*?)^\.Ss", manual, re.S | re.M)[1], re.M))


def test_promtool_has_no_remark_and_the_counts_are_right():
    with Stack(workers=2, interval=long_interval(), env={"TFT_ANONYMOUS": "operator"}) as stack:
        stack.wait_fleet()
        for _ in range(5):
            stack.get("/?x=1")
        stack.get("/nothing")
        stack.post("/refresh", {"confirm": "1"}, headers=SAME)

        def overview_counted():
            """A worker sends its counts within a second, whether or not there is another request."""
            text = stack.get("/metrics").text
            return text if '{action="refresh",result="done"} 1' in text and '"overview",code="200"} 5' in text else None

        text = stack.wait(overview_counted, what="all five requests of the overview in the metrics")
    result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    for name in "http_request", "redis_command":
        bounds = re.findall(rf'^tft_dashboard_{name}_duration_seconds_bucket{{le="(.*)"}}', text, re.M)
        assert len(bounds) > 1 and [float(bound) for bound in bounds] == sorted(map(float, bounds)), bounds
    assert series(text, "worker_starts_total") == {'{version="%s"}' % re.search(r'version="([^"]+)"', text)[1]: "2"}
    for name in ("build_info", "redis_up", "upstream_up", "snapshot_age_seconds", "upstream_budget_left", "snapshot_bytes"):
        assert len(series(text, name)) == 1, name
    sums, counts = (series(text, "cache_fill_duration_seconds_" + what) for what in ("sum", "count"))
    assert set(sums) == set(counts) == {'{step="fetch"}', '{step="stage"}', '{step="commit"}'}
    assert all(float(value) > 0 for value in sums.values()) and min(map(int, counts.values())) >= 1
    assert int(series(text, "redis_command_duration_seconds_count")[""]) > 10
    assert int(series(text, "snapshot_bytes")[""]) > 1000
    assert set(re.findall(r"^# TYPE (\w+)", text, re.M)) == documented("Metrics")


def test_own_looks_are_no_requests_of_viewers():
    own = {"healthz", "readyz", "metrics", "api-status"}
    with Stack(workers=1, interval=5) as stack:
        stack.wait_fleet()
        for path in (*own - {"api-status"}, "api/v1/status") * 3:
            assert stack.get("/" + path).status_code == 200
        bucket = stack.redis.hget("tft:cur:fleet", "bucket")
        stack.wait(lambda: stack.redis.hget("tft:cur:fleet", "bucket") != bucket, what="a refresh that nobody asked for")
        stack.get("/heatmap?x=1")

        def heatmap_counted():
            text = stack.get("/metrics").text
            return text if 'route="heatmap",code="200"} 1' in text else None

        text = stack.wait(heatmap_counted, what="the request of the heatmap in the metrics")
    pages = sum(int(count) for labels, count in series(text, "http_requests_total").items() if re.search('route="(.*?)"', labels)[1] not in own)
    assert sum(map(int, series(text, "cache_requests_total").values())) == pages


class Unasked(Stack):
    """Workers with idle_tick off, which only the configuration file can set."""

    def program(self):
        config, program = self.dir / "tick.conf", self.dir / "tft-dashboard"
        config.write_text("[cache]\nidle_tick = off\n")
        program.write_text(f"#!/bin/sh\nexec {super().program()} -c {config}\n")
        program.chmod(0o755)
        return program


def test_without_the_idle_tick_only_a_viewer_makes_a_call():
    """A worker wakes up in the next bucket to send the counts of this one, and does nothing else."""
    with Unasked(workers=1, interval=5, l1=False) as stack:
        stack.wait_fleet()
        stack.wait(lambda: stack.get("/") and 0.03 < stack.seconds_to_bucket() < 0.15, 15, "the last request of a bucket")
        calls = stack.upstream.predictions.count
        stack.wait(lambda: 1 < stack.seconds_to_bucket() < 3, what="the middle of the next one")
        assert stack.upstream.predictions.count == calls
        stack.wait(lambda: stack.get("/") and stack.upstream.predictions.count == calls + 1, what="the call for a viewer")


# The developer's start

def source_of_build():
    makefile = BUILD / "Makefile"
    text = makefile.read_text() if makefile.exists() else "top_srcdir = ."
    return (BUILD / re.search(r"^top_srcdir = (.*)$", text, re.M)[1]).resolve()


@contextlib.contextmanager
def changed(path):
    """Adds a line while the block runs."""
    text = path.read_text()
    path.write_text(text + "<!-- a change -->\n")
    try:
        yield
    finally:
        path.write_text(text)


class Viewers:
    """A Site with the interface that Load needs."""

    def __init__(self, site):
        self.hosts = [site]


@pytest.mark.skipif(source_of_build() == ROOT, reason="the build is of the working tree, which a test must not change")
def test_a_changed_source_is_served_without_a_lost_request():
    site = Site()
    try:
        site.start("--dev", TFT_WORKERS="5")
        log = site.run_dir / "log" / "watch.log"

        def build_id():
            return re.search(r'build="(\w+)"', site.get("metrics").text)[1]

        def wait_for(predicate):
            Stack.wait(type("", (), {"logs": lambda self: log.read_text()})(), predicate, 120, "a new build")

        wait_for(lambda: "Watching" in log.read_text())
        old = build_id()
        asset = re.search(r'(?:href|src)="(static/[^"]+)"', site.get("").text)[1]
        assert site.get(asset).headers["Cache-Control"] == "no-store"
        assert "nginx; hit" not in {site.get("").headers["Cache-Status"] for _ in range(3)}
        with Load(Viewers(site), ("/", "/healthz"), clients=2) as load:
            with changed(source_of_build() / "src" / "text" / "roadmap.html"):
                wait_for(lambda: log.read_text().count(" serving ") == 1)
                assert build_id() != old
                assert "a change" in site.get("roadmap").text
            wait_for(lambda: log.read_text().count(" serving ") == 2)
        assert build_id() == old
        assert len(load.seen) > 20
        assert load.lost() == []
        assert site.stop().stdout == "Stopped.\n"
        lines = [readable(process / "cmdline") for process in processes()]
        assert not [line for line in lines if b"inotifywait" in line and str(source_of_build()).encode() in line]
    finally:
        site.remove()


def readable(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
