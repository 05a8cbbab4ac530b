# SPDX-License-Identifier: MIT
"""check_tft, the check command: exit code, one line, performance data; its thresholds by the rules of the Monitoring Plugins."""
import contextlib
import functools
import http.server
import importlib.machinery
import importlib.util
import json
import re
import socket
import ssl
import subprocess
import sys
import threading

import certificates
import pytest
from stack import ROOT, Stack, to_bucket
from upstream import Upstream, payload_bytes

PROGRAM = ROOT / "scripts" / "check_tft"
INTERVAL = 30
CLOSED = "http://127.0.0.1:1/"
WORDS = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
HOSTILE = "pipe|quo\"te\nline/slash"
# The rules' own grammar: label, value, unit, warning, critical, least, most.
DATUM = re.compile(r"([a-z0-9_]+)=(-?\d+(?:\.\d+)?)(%|s)?(?:;([0-9.:~@-]*))?(?:;([0-9.:~@-]*))?(?:;(-?[0-9.]*))?(?:;(-?[0-9.]*))?")


def run(*words, url=CLOSED):
    """(state, text, {label: match}); whatever happens, it is one line whose first words tell the exit code."""
    result = subprocess.run([sys.executable, PROGRAM, "--url", url, *words], capture_output=True, text=True, timeout=60)
    assert result.stderr == "" and result.stdout.count("\n") == 1 and result.stdout.isprintable() == (result.stdout == "")
    text, _, data = result.stdout.removesuffix("\n").partition(" | ")
    assert "|" not in text and text.startswith(f"TFT {WORDS[result.returncode]} - "), result.stdout
    data = [(datum, DATUM.fullmatch(datum)) for datum in data.split()]
    assert all(match for _, match in data), data
    return result.returncode, text, {match[1]: match for _, match in data}


@functools.cache
def program():
    loader = importlib.machinery.SourceFileLoader("check_tft", str(PROGRAM))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_tft", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


# Thresholds

@pytest.mark.parametrize(
    "text, met, silent",
    [
        ("10", [-1, 10.5, 11], [0, 5, 10]),
        ("10:", [-5, 9.9], [10, 11, 1e9]),
        ("~:10", [10.1, 11], [-1e9, 0, 10]),
        ("10:20", [9, 21], [10, 15, 20]),
        ("@10:20", [10, 15, 20], [9.9, 20.1]),
        ("@10", [0, 10], [-1, 11]),
        ("-5:5", [-6, 6], [-5, 0, 5]),
        (":7", [-1, 8], [0, 7]),
        ("0", [1, -1], [0]),
        ("2.5", [2.6], [2.5]),
    ],
)
def test_ranges_are_those_of_the_rules(text, met, silent):
    threshold = program().Threshold(text)
    assert [value for value in met + silent if threshold.is_met(0, value, 0)] == met
    share = program().Threshold(text + "%")
    assert [value for value in met + silent if share.is_met(0, 5, value)] == met


def test_a_level_is_met_by_itself_and_worse_ones():
    threshold = program().Threshold("Danger")
    assert [level for level in range(7) if threshold.is_met(level, 0, 0)] == [4, 5, 6]


@pytest.mark.parametrize("text", ["", "x", ":", "~", "@", "20:10", "1:2:3", "10,20", "5 %", "%", "1e3", "nan", "-", "dangerous", "@~"])
def test_a_bad_threshold_is_unknown_with_one_clear_line(text):
    state, line, _ = run(f"--warning={text}")
    assert state == 3 and "is neither a level (healthy, watch, degrading, warning, danger, critical, imminent) nor a range" in line


@pytest.mark.parametrize(
    "words, told",
    [
        (["--max-age", "0"], "is not a number of seconds"),
        (["--max-age", "1m"], "is not a number of seconds"),
        (["--timeout", "-1"], "is not a number of seconds"),
        (["--level", "bad"], "is not a level"),
        (["--url", "ftp://a/"], "it is not http://"),
        (["--url", "http://ann:secret@a/"], "use --auth-file"),
        (["--server", "a", "-w", "5%"], "a share (%) is one of the fleet"),
        (["--server", ""], "--server is empty"),
        (["--ca-file", "/nowhere", "--url", "https://127.0.0.1:1/"], "--ca-file /nowhere: No such file"),
        (["--auth-file", "/nowhere"], "--auth-file /nowhere: No such file"),
        (["--auth-file", "/proc/version"], "not one line user:password"),
        (["more"], "unrecognized arguments"),
        (["--warn", "5"], "unrecognized arguments"),
    ],
)
def test_wrong_options_are_unknown(words, told):
    state, line, _ = run(*words)
    assert state == 3 and told in line and "secret" not in line


# Against the dashboard

def fleet():
    answer = json.loads(payload_bytes("predictions_current-critical-20"))
    name = sorted(answer["predictions"])[0]
    answer["predictions"][HOSTILE] = answer["predictions"].pop(name)
    return json.dumps(answer).encode()


@pytest.fixture(scope="module")
def stack():
    with Upstream() as upstream:
        upstream.predictions.body = fleet()
        with Stack(upstream=upstream, workers=1, interval=INTERVAL, ahead=to_bucket(INTERVAL)) as running:
            running.wait_fleet()
            yield running


def test_the_fleet_by_level_number_and_share(stack):
    api, url = stack.get("/api/v1/fleet").json(), stack.url("/")
    levels, total = api["fleet"]["levels"], len(api["servers"])
    risky = levels["Danger"] + levels["Critical"] + levels["Imminent Failure"]
    assert 0 < risky < total
    worst = next(name for name, count in levels.items() if count).split()[0].lower()
    state, line, data = run(url=url)
    assert (state, int(data["at_risk"][2]), data["at_risk"][7]) == (2 if levels["Critical"] + levels["Imminent Failure"] else 1, risky, str(total))
    assert f"{risky} of {total} servers at Danger or worse" in line and f"environment {api['environment']['status']}" in line
    assert float(data["worst_risk"][2]) == api["servers"][0]["risk"]
    assert {label: int(match[2]) for label, match in data.items() if label.startswith("servers_")} == {
        f"servers_{name.split()[0].lower()}": count for name, count in levels.items()}
    assert 0 <= int(data["age"][2]) <= INTERVAL and data["age"][5] == "600"
    cases = {
        ("-w", worst, "-c", f"{total}"): 1,
        ("-w", f"{risky}", "-c", f"{risky}"): 0,
        ("-w", f"{risky - 1}", "-c", f"{risky}"): 1,
        ("-w", f"{risky}", "-c", f"{risky - 1}"): 2,
        ("-w", "100%", "-c", f"{100 * risky / total + 1}%"): 0,
        ("-w", f"{100 * risky / total - 1}%", "-c", "100%"): 1,
        ("-w", f"@{risky}:{risky}", "-c", "~:1000"): 1,
        ("-l", "healthy", "-w", f"{total}:", "-c", f"{total}"): 0,
    }
    for words, expected in cases.items():
        state, _, data = run(*words, url=url)
        assert state == expected, words
    _, _, data = run("-w", "5%", "-c", "10:20", url=url)
    assert (data["at_risk"][4], data["at_risk"][5], data["at_risk_share"][4], data["at_risk_share"][5] or "") == ("", "10:20", "5", "")


def test_one_server(stack):
    url = stack.url("/")
    for server in stack.get("/api/v1/fleet").json()["servers"]:
        if server["name"] == HOSTILE or server["cpu"]["now"] is not None:
            state, line, data = run("-s", server["name"], "-w", f"{server['risk']}", "-c", "100", url=url)
            assert state == 0 and f"at {server['level']} (risk {server['risk']})" in line
            assert (float(data["risk"][2]), data["risk"][4]) == (server["risk"], f"{server['risk']}")
            assert server["cpu"]["now"] is None or float(data["cpu"][2]) == server["cpu"]["now"]
            break
    state, line, _ = run("-s", HOSTILE, "-w", "@0:100", "-c", "100", url=url)
    assert state == 1 and 'pipe/quo"te?line/slash at ' in line
    state, line, _ = run("-s", "nobody", url=url)
    assert (state, line) == (3, "TFT UNKNOWN - there is no server nobody")


def test_a_dashboard_that_is_away_is_critical(stack):
    assert run()[:2] == (2, f"TFT CRITICAL - no answer from {CLOSED}: Connection refused")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert run("-t", "1", url=f"http://127.0.0.1:{silent.getsockname()[1]}/")[0] == 2
    state, line, _ = run(url=stack.url("/nothing/here"))
    assert state == 3 and "answers 404" in line


class Foreign(http.server.BaseHTTPRequestHandler):
    """Whatever a test makes it say."""

    body, asked = b"", None

    def do_GET(self):
        type(self).asked = self.headers.get("Authorization")
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def foreign(body, context=None):
    handler = type("Handler", (Foreign,), {"body": body})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield handler, f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"{}", b"null", b'{"generated_at": 5, "condition": "ok"}', b"[" * 100000,
                                  b'{"generated_at": "2026-01-01T00:00:00.000Z", "condition": "ok", "detail": null, "servers": 1, "fleet": 2}'])
def test_an_answer_of_something_else_is_unknown(body):
    with foreign(body) as (_, url):
        for words in ([], ["-s", "a"]):
            state, line, _ = run(*words, url=url)
            assert state == 3 and "is not a dashboard" in line


def test_https_and_logins(stack, tmp_path):
    body = stack.get("/api/v1/fleet").content
    certificates.make_authorities(tmp_path)
    certificates.make_certificate(tmp_path, "server", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    (tmp_path / "login").write_text("ann:s3 cret:x\n")
    with foreign(body, context) as (handler, url):
        state, line, _ = run(url=url)
        assert state == 2 and "no answer from" in line, "no authority that is known here"
        wide = ["-w", "1000", "-c", "1000", "-a", "9999999"]
        assert run(*wide, "--ca-file", str(tmp_path / "ca.pem"), "--auth-file", str(tmp_path / "login"), url=url)[0] == 0
        assert handler.asked == "Basic YW5uOnMzIGNyZXQ6eA=="


def test_old_data_are_critical_by_their_age(stack):
    """The last one: it lets the data grow old."""
    wide = ["-w", "1000", "-c", "1000"]
    assert run(*wide, url=stack.url("/"))[0] == 0
    stack.upstream.predictions.status = 500
    stack.leap(660)
    stack.wait(lambda: stack.get("/api/v1/fleet").json()["condition"] == "upstream-error", what="it is told")
    state, line, data = run(*wide, url=stack.url("/"))
    assert state == 2 and re.match(r"TFT CRITICAL - data are \d+ s old: ", line) and int(data["age"][2]) >= 660
    assert "daemon: " in line
    assert run(*wide, "--max-age", "3000", url=stack.url("/"))[0] == 0
    stack.leap(3600)
    stack.wait(lambda: stack.get("/api/v1/fleet").status_code == 503, what="nothing is shown any more")
    state, line, _ = run(*wide, "--max-age", "99999", url=stack.url("/"))
    assert state == 2 and "503" in line
