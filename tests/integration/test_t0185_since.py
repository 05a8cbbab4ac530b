# SPDX-License-Identifier: MIT
"""Since when a server has been at its level: the same on every host, after a restart, a flush and a deletion of the
cache."""
import json
import re

import pytest
from stack import ROOT
from test_t0180_silent import STEP, Ahead
from upstream import payload_bytes

NAME = "ppml0001"
CALM = payload_bytes("predictions_current-healthy-20")
CRITICAL = payload_bytes("predictions_current-critical-20")
CACHED = "tft:*"
POINTER = "tft:cur:fleet"


class Two(Ahead):
    """Two hosts; each step sets the fleet."""

    def __init__(self):
        super().__init__(hosts=2)

    def answer(self, body):
        self.upstream.predictions.body = body


@pytest.fixture
def stack():
    with Two() as running:
        yield running


def row(page, name=NAME):
    """Without its links, which keep the query."""
    return re.sub(' href="[^"]*"', "", re.search(rf'<tr id="srv-{name}">.*?</tr>', page)[0])


def told(stack):
    """What both hosts say, on stored and rendered pages: the cell of the level, and its value in the API."""
    pages = [stack.get(path, host=host).text for path in ("/", "/?q=ppml") for host in (0, 1)]
    assert len({row(page) for page in pages}) == 1
    assert pages[0] == pages[1], "equal bytes on both hosts"
    servers = [stack.get(f"/server/{NAME}", host=host).text for host in (0, 1)]
    assert servers[0] == servers[1]
    words = re.search(r"<small>((?:at least )?since [^<]*)</small>", row(pages[0]))[1]
    assert f"<small>{words}</small>" in servers[0]
    assert f"<small>{words}</small>" in stack.get("/heatmap").text
    alert = next(a for a in stack.get("/api/v1/alerts").json()["alerts"] if a["server"] == NAME)
    assert alert["level_since_at_least"] == words.startswith("at least")
    assert alert["level_since"][11:19] in words
    return words


def clock_of(fleet):
    seconds = fleet["bucket"] * STEP % 86400
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02} UTC"


def delete(stack, pattern):
    for key in stack.redis.scan_iter(pattern):
        if not key.startswith((b"tft:epoch", b"tft:budget")):
            stack.redis.delete(key)


def test_since_outlives_restarts_a_flush_and_the_cache(stack):
    first = stack.first(CRITICAL)
    assert told(stack) == f"at least since {clock_of(first)}", "nothing is known of before"
    stack.step(CALM)
    assert f"srv-{NAME}" not in stack.get("/").text
    rose = clock_of(stack.step(CRITICAL))
    assert told(stack) == f"since {rose}"
    stack.step(CRITICAL)
    assert told(stack) == f"since {rose}, 30 s"
    stack.restart_redis()
    stack.step(CRITICAL, host=1)
    assert told(stack) == f"since {rose}, 1 min"
    # Flushed: the next snapshot continues the previous one.
    before = stack.redis.hget(POINTER, "snap")
    stack.redis.eval((ROOT / "redis" / "flush.lua").read_text(), 0)
    stack.wait(lambda: stack.fleet() and stack.redis.hget(POINTER, "snap") != before, 20, "a snapshot after the flush")
    assert told(stack) == f"since {rose}, 1 min"
    # The cache is gone: the history has the time.
    delete(stack, CACHED)
    stack.wait_fleet()
    assert told(stack) == f"since {rose}, 1 min"
    # The history is gone as well: it begins again.
    delete(stack, "tfthist:*")
    delete(stack, CACHED)
    anew = stack.wait_fleet()
    assert told(stack) == f"at least since {clock_of(anew)}"


def test_the_line_tells_the_last_hour(stack):
    stack.first(CRITICAL)
    assert 'class="line"' not in stack.get("/").text, "one slot is no line"
    for _ in range(7):
        stack.step(CALM)
    stack.step(CRITICAL)
    line = re.search(r'<svg class="line".*?</svg>', row(stack.get("/").text))[0]
    assert len(line) <= 250
    risk = json.loads(stack.get(f"/api/v1/servers/{NAME}").text)["risk"]
    low, high, now = re.search(r"risk over the last hour: (\d+) to (\d+), now (\d+)", line).groups()
    assert int(low) < int(high) == int(now) == int(risk)
    assert line in stack.get("/", host=1).text
    assert line in stack.get(f"/server/{NAME}", host=1).text
    assert line in stack.get("/heatmap", host=1).text
