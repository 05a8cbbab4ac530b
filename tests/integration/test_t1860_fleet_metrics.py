# SPDX-License-Identifier: MIT
"""The fleet for Prometheus: /metrics/fleet against the API, and what is left of data that are too old."""
import json
import re
import subprocess

import pytest
from stack import Stack, to_bucket
from test_t0810_operation import documented
from upstream import Upstream, payload_bytes

INTERVAL = 30
HOSTILE = ['back\\slash', 'quo"te', "new\nline", "\\n", "two words", "Zürich", 'x",profile="', "carriage\rreturn"]
LEVELS = ["Healthy", "Watch", "Degrading", "Warning", "Danger", "Critical", "Imminent Failure"]
STATUSES = ["Unknown", "Healthy", "Caution", "Warning", "Critical"]
LINE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)\n')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def fleet():
    """A recorded answer in which some servers have names that need care."""
    answer = json.loads(payload_bytes("predictions_current-critical-20"))
    names = list(answer["predictions"])
    renamed = dict(zip(names, HOSTILE))
    answer["predictions"] = {renamed.get(name, name): server for name, server in answer["predictions"].items()}
    return json.dumps(answer).encode()


@pytest.fixture(scope="module")
def stack():
    with Upstream() as upstream:
        upstream.predictions.body = fleet()
        with Stack(upstream=upstream, workers=1, interval=INTERVAL, ahead=to_bucket(INTERVAL), env={"TFT_FLEET_METRICS": "on"}) as running:
            running.wait_fleet()
            yield running


def read(text):
    """{name: {labels: value}}, by the grammar of the text format."""
    found = {}
    lines = re.sub(r"^#.*\n", "", text, flags=re.M)
    assert LINE.sub("", lines) == ""
    for name, labels, value in LINE.findall(lines):
        key = frozenset((label, re.sub(r"\\.", lambda m: ESCAPED[m[0]], text)) for label, text in LABEL.findall(labels))
        assert key not in found.setdefault(name, {}), (name, labels)
        found[name][key] = float(value)
    return found


def key(**labels):
    return frozenset(labels.items())


def test_promtool_has_no_remark_and_every_series_is_documented(stack):
    answer = stack.get("/metrics/fleet")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    checked = subprocess.run(["promtool", "check", "metrics"], input=answer.text, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert set(re.findall(r"^# TYPE (\w+)", answer.text, re.M)) == set(read(answer.text)) == documented("Metrics of the fleet")


def test_values_are_those_of_the_api(stack):
    api, found = stack.get("/api/v1/fleet").json(), read(stack.get("/metrics/fleet").text)
    slugs = {name: dict(labels)["profile"] for labels in found["tft_server_risk"] for name in [dict(labels)["server"]]}
    assert set(slugs) == {server["name"] for server in api["servers"]} >= set(HOSTILE)
    for server in api["servers"]:
        name = server["name"]
        assert found["tft_server_risk"][key(server=name, profile=slugs[name])] == server["risk"]
        assert LEVELS[int(found["tft_server_level"][key(server=name, profile=slugs[name])])] == server["level"]
        for metric in ("cpu", "iowait", "memory", "swap", "load"):
            for when in ("now", "p50_30m"):
                value = server[metric].get(when)
                shown = found["tft_server_value"].get(key(server=name, metric=metric, when=when))
                assert (value is None and metric != "load") or shown == pytest.approx(value or shown, abs=0.0051), (name, metric, when)
        assert found["tft_server_value"][key(server=name, metric="cpu", when="worst_30m")] == pytest.approx(server["cpu"]["p90_30m"], abs=0.0051)
        assert found["tft_server_silent_seconds"][key(server=name)] == 0
    levels = {dict(labels)["level"]: value for labels, value in found["tft_servers"].items()}
    assert levels == {name.split()[0].lower(): count for name, count in api["fleet"]["levels"].items()}
    assert STATUSES[int(found["tft_environment_status"][key()])] == api["environment"]["status"]
    for horizon in ("30m", "8h"):
        assert found["tft_incident_index"][key(horizon=horizon)] == pytest.approx(api["environment"][f"prob_{horizon}"], abs=0.0001)


def test_it_is_closed_to_requests_through_a_proxy(stack):
    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"):
        assert stack.get("/metrics/fleet", headers={header: "127.0.0.1"}).status_code == 403, header
    assert stack.post("/metrics/fleet").status_code == 405


def test_what_is_too_old_to_act_on_is_its_time_alone(stack):
    """The last one: it lets the data grow old."""
    stack.upstream.predictions.status = 500
    stamp = read(stack.get("/metrics/fleet").text)["tft_snapshot_timestamp_seconds"]
    stack.leap(660)
    stack.wait(lambda: "tft_server" not in stack.get("/metrics/fleet").text, what="the numbers are gone")
    text = stack.get("/metrics/fleet").text
    assert read(text) == {"tft_snapshot_timestamp_seconds": stamp}
    assert subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True).stderr == ""
