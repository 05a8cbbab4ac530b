# SPDX-License-Identifier: MIT
"""Every class of upstream answer (doc/upstream.md#classes): what the API says, what the page says, and that the last good
view stays."""
import json
import re
import sys

import pytest
from stack import Stack
from upstream import payload_bytes

GOOD = "predictions_current-critical-20"
DATE = "Wed, 21 Oct 2099 07:28:00 GMT"
TRACEBACK = "Traceback (most recent call last): secret-path/model.py"


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2, interval=5, l1=False) as running:
        yield running


@pytest.fixture
def good(stack):
    """A good snapshot is there, the breaker is closed, and nothing else is stored; returns its fleet."""
    stack.upstream.listen() if not stack.upstream._servers else None
    stack.upstream.predictions.reset_controls()
    stack.upstream.predictions.load(GOOD)
    stack.upstream.require_key = None
    stack.redis.flushdb()
    return stack.wait_fleet()


def respond(status=200, body=b"", content_type="application/json", **controls):
    def apply(upstream):
        endpoint = upstream.predictions
        endpoint.status, endpoint.body, endpoint.content_type = status, body, content_type
        for name, value in controls.items():
            setattr(endpoint, name, value)

    return apply


def cut_in_the_middle(upstream):
    upstream.predictions.cut = 100000


def refuse_key(upstream):
    upstream.require_key = "another-key"


def servers(number):
    return json.dumps({"predictions": number}).encode()


CASES = {
    "key refused": (refuse_key, "refused", "refuses our API key"),
    "401": (respond(401, b"{}"), "refused", "refuses our API key"),
    "rate limited": (respond(429, payload_bytes("predictions_current-rate_limited-0")), "rate-limited", "limits our calls"),
    "500": (respond(500, b"Internal Server Error", "text/plain"), "upstream-error", "answered 5xx"),
    "503": (respond(503, b"<html>"), "upstream-error", "answered 5xx"),
    "404": (respond(404, b'{"detail":"Not Found"}'), "upstream-error", "answered an unexpected status"),
    "redirect": (respond(301, b"", headers={"Location": "http://127.0.0.1:1/"}), "upstream-error", "answered an unexpected status"),
    "204": (respond(204), "upstream-error", "answered an unexpected status"),
    "cut short": (cut_in_the_middle, "upstream-error", "answer incomplete"),
    "HTML": (respond(200, b"<html>fleet</html>", "text/html"), "bad-answer", "answer not understood"),
    "null": (respond(200, b"null"), "bad-answer", "answer not understood"),
    "array": (respond(200, b"[]"), "bad-answer", "answer not understood"),
    "number": (respond(200, b"42"), "bad-answer", "answer not understood"),
    "no predictions": (respond(200, b'{"metadata":{}}'), "bad-answer", "answer not understood"),
    "predictions is a list": (respond(200, servers([])), "bad-answer", "answer not understood"),
    "no server is an object": (respond(200, servers({"a": 1})), "bad-answer", "answer not understood"),
    "malformed": (respond(200, b'{"predictions":{"a":{}'), "bad-answer", "answer not understood"),
    "trailing bytes": (respond(200, b'{"predictions":{"a":{}}} x'), "bad-answer", "answer not understood"),
    "error with traceback": (
        respond(200, json.dumps({"error": "boom", "traceback": TRACEBACK, "predictions": {}}).encode()),
        "upstream-error",
        "reports an error",
    ),
    "empty predictions": (respond(200, servers({})), "upstream-error", "reports an error"),
    "warming up": (respond(200, payload_bytes("predictions_current-insufficient-20")), "warming", "warming up"),
}


def fail_once(stack, break_upstream):
    """Breaks the upstream, makes the cache stale, and waits until an attempt has failed; returns the fleet then."""
    break_upstream(stack.upstream)
    stack.redis.set("tft:epoch:fleet", "flushed")
    stack.wait(lambda: stack.get("/api/v1/fleet").json() and stack.redis.exists("tft:brk:fleet"), what="a failed attempt")
    return stack.get("/api/v1/fleet").json()


@pytest.mark.parametrize("case", CASES)
def test_failed_attempt_is_told_and_changes_no_number(stack, good, case):
    break_upstream, condition, words = CASES[case]
    history = stack.redis.xlen("tfthist:fleet")
    fleet = fail_once(stack, break_upstream)
    assert fleet["condition"] == condition
    assert fleet["servers"] == good["servers"]
    assert fleet["generated_at"] == good["generated_at"]
    assert stack.redis.xlen("tfthist:fleet") == history
    page = stack.get("/").text
    state = re.search(r'<div id="state".*?</div>', page, re.S).group(0)
    assert words in state
    assert "ppml0001" in page
    assert TRACEBACK not in page + json.dumps(fleet)


def metric(number):
    return {"current": number, "trend": 0, "p10": [number] * 6, "p50": [number] * 6, "p90": [number] * 6}


STRANGE = servers({
    "web01": {"load_average": metric(1.0), "mem_used_pct": metric(40.0)},
    "web02": {"load_average": metric(sys.float_info.max), "mem_used_pct": metric(40.0)},
    "web03": {"load_average": metric(10**29), "note": "\U0001f7e2"},
})


@pytest.mark.parametrize("body", [STRANGE, b"\xef\xbb\xbf" + STRANGE, STRANGE.replace(rb"\ud83d\udfe2", "\U0001f7e2".encode())],
                         ids=["impossible numbers", "byte order mark", "letters beyond ASCII"])
def test_what_is_strange_costs_itself_alone(stack, good, body):
    """Each number is finite, but the sum of six is not: once, no page could be made from such a snapshot."""
    respond(200, body)(stack.upstream)
    stack.redis.set("tft:epoch:fleet", "flushed")
    fleet = stack.wait(lambda: (fleet := stack.get("/api/v1/fleet").json())["servers"] != good["servers"] and fleet, what="the new servers")
    assert fleet["condition"] == "ok"
    load = {server["name"]: server["load"]["now"] for server in fleet["servers"]}
    assert load == {"web01": 1, "web02": None, "web03": None}
    for path in ("/", "/heatmap?q=w", "/heatmap?metric=load", "/server/web02", "/history", "/advanced"):
        page = stack.get(path)
        assert page.status_code == 200
        assert "8 values left out" in page.text and not re.search(r"\d{16}", re.sub(r"<script.*?>|\?v=\w+", "", page.text)), path


def test_refused_connection_and_recovery(stack, good):
    stack.upstream.unlisten()
    try:
        fleet = fail_once(stack, lambda upstream: None)
        assert (fleet["condition"], fleet["detail"]) == ("upstream-error", "connection refused")
    finally:
        stack.upstream.listen()
    stack.wait(lambda: stack.get("/api/v1/fleet").json()["condition"] == "ok", what="recovery by itself")


def test_key_is_sent_to_predictions_only_and_never_shown():
    with Stack(workers=1, interval=5, env={"TFT_API_KEY": "k3y-of-the-test"}) as stack:
        stack.upstream.require_key = "k3y-of-the-test"
        stack.wait_fleet()
        for call in stack.upstream.calls:
            expected = ["k3y-of-the-test"] if call.endpoint == "/predictions/current" else None
            assert call.headers.get("x-api-key") == expected
        shown = [stack.get(path).text for path in ("/", "/heatmap", "/api/v1/fleet", "/api/v1/status")]
        assert not [text for text in shown + [stack.logs()] if "k3y-of-the-test" in text]
        assert not any(b"k3y-of-the-test" in str(stack.redis.hgetall(key)).encode() for key in stack.redis.keys("tft:*:[0-9]*"))


def test_retry_after_is_honoured_and_bounded(stack, good):
    for value, low, high in ((None, 55, 61), ("7", 5, 8), ("abc", 55, 61), ("-1", 55, 61), ("99999999", 290, 301), (DATE, 55, 61)):
        headers = {"Retry-After": value} if value else {}
        stack.redis.delete("tft:brk:fleet")
        fail_once(stack, respond(429, b"{}", headers=headers))
        seconds, micros = stack.redis.time()
        wait = int(stack.redis.hget("tft:brk:fleet", "open_until")) / 1000 - (seconds + micros / 1e6)
        assert low <= wait <= high, value


def test_nobody_asks_again_while_the_breaker_is_open(stack, good):
    fail_once(stack, respond(429, b"{}"))
    calls = stack.upstream.predictions.count
    for _ in range(20):
        assert stack.get("/").status_code == 200
    assert stack.upstream.predictions.count == calls


def test_only_the_two_daemons_known_paths_are_called(stack, good):
    stack.get("/api/v1/status")
    assert {(call.method, call.endpoint) for call in stack.upstream.calls} <= {
        ("GET", "/predictions/current"),
        ("GET", "/status"),
        ("GET", "/scenario/status"),
    }
    assert stack.upstream.strays == []


def no_rows(answer, why):
    """A CSV file cannot say why it is empty."""
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["status"] == 503 and why in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0 and "content-disposition" not in answer.headers


def test_warming_daemon_without_data_is_an_answer(stack):
    stack.upstream.predictions.reset_controls()
    stack.upstream.predictions.load("predictions_current-insufficient-20")
    stack.upstream.warmup.load("status-warming_up_partial-20")
    stack.redis.flushdb()
    stack.wait(lambda: stack.get("/").status_code == 200 and stack.redis.exists("tft:brk:fleet"), what="warm-up page")
    page = stack.wait(lambda: (text := stack.get("/").text) and "90 % of the servers" in text and text, what="warm-up figures")
    assert 'data-state="warming"' in page
    assert "ppml0001" not in page and "need attention" not in page
    api = stack.get("/api/v1/fleet")
    assert (api.status_code, api.json()["condition"]) == (200, "warming")
    no_rows(stack.get("/heatmap?format=csv"), "warming up")
    stack.upstream.warmup.reset_controls()
