# SPDX-License-Identifier: MIT
"""From a flush until the next commit, every page on every host says that its data are older than the flush; afterwards
none does."""
import re

import pytest
from load import ask
from recorder import Recorder
from stack import ROOT, Stack, long_interval

HOSTS = 3
STORED = ("/", "/heatmap", "/top", "/remediation", "/alerting", "/docs", "/roadmap")
RENDERED = ("/?profile=web", "/heatmap?metric=cpu", "/history", "/cost")
MARK = b"The cache was flushed: new data are being fetched."
STATE = re.compile(rb'<div id="state" data-state="([a-z-]+)"')


@pytest.fixture(scope="module")
def stack():
    """Nothing is refreshed unless somebody flushes. The copies of nginx are off, because they are a second late."""
    with Stack(workers=2, hosts=HOSTS, interval=long_interval(), l1=False, env={"TFT_ANONYMOUS": "operator"}) as running:
        for host in range(HOSTS):
            running.wait_fleet(host=host)
        yield running


def post_refresh(stack):
    assert ask(stack, "/refresh", host=1, method="POST", form="confirm=1").status == 303


def run_script(stack):
    assert stack.redis.eval((ROOT / "redis" / "flush.lua").read_text(), 0)[0] == b"ok"


def everywhere(stack, record, paths=STORED + RENDERED):
    """Each page of each host. On a busy machine Redis may miss a deadline: a worker's 503 says so and is recorded."""

    def page(path, host):
        return stack.wait(lambda: (seen := record.ask(ask, path, host)).status == 200 and seen, what=path)

    return [page(path, host) for path in paths for host in range(HOSTS)]


def packed(stack):
    """State and mark of the stored pages, compressed, as browsers request them."""

    def page(path, host):
        return stack.wait(lambda: (answer := stack.get(path, host=host)).status_code == 200 and answer.content, what=path)

    bodies = [page(path, host) for path in STORED for host in range(HOSTS)]
    return {(STATE.search(body)[1], MARK in body) for body in bodies}


def is_live(seen):
    return (STATE.search(seen.body)[1], MARK in seen.body) == (b"live", False)


@pytest.mark.parametrize("flush", [post_refresh, run_script])
def test_page_carries_its_mark_until_the_commit(stack, flush, tmp_path):
    predictions = stack.upstream.predictions
    stack.redis.delete("tft:gate:flush")
    with Recorder(stack, tmp_path) as record:
        assert not [seen for seen in everywhere(stack, record) if MARK in seen.body]
        predictions.hold()
        try:
            flush(stack)
            marked = everywhere(stack, record)
            stack.wait(lambda: ask(stack) and predictions.arrived.is_set(), what="the call")
            marked += everywhere(stack, record)
            for seen in marked:
                assert (STATE.search(seen.body)[1], MARK in seen.body) == (b"updating", True), seen
                assert re.search("detail=(FLUSHED|REFRESH)", seen.cache) and "max-age=0" in seen.headers["cache-control"], seen
            assert packed(stack) == {(b"updating", True)}
        finally:
            predictions.release()
        old = stack.redis.hget("tft:cur:fleet", "gen")
        stack.wait(lambda: stack.redis.hget("tft:cur:fleet", "gen") != old, what="the commit")
        # A worker to which Redis is late shows what it has itself.
        stack.wait(lambda: all(is_live(seen) for seen in everywhere(stack, record)), what="pages without a mark")
    assert record.violations() == []
    assert packed(stack) == {(b"live", False)}


def test_mark_outlives_a_refresh_that_fails(stack, tmp_path):
    """Then the page says both."""
    stack.redis.delete("tft:gate:flush", "tft:brk:fleet")
    stack.upstream.predictions.fail()
    try:
        run_script(stack)
        stack.wait(lambda: ask(stack) and stack.redis.exists("tft:brk:fleet"), what="a failed attempt")
        with Recorder(stack, tmp_path, healthy=False) as record:
            for seen in everywhere(stack, record, STORED):
                assert STATE.search(seen.body)[1] == b"stale" and MARK in seen.body and b"Prediction daemon: " in seen.body, seen
        assert record.violations() == []
    finally:
        stack.upstream.predictions.reset_controls()
