# SPDX-License-Identifier: MIT
"""What is known of the daemons between two predictions calls: all pages and the API agree at any moment, and never
present old facts as current."""
import itertools
import json
import re
import threading

import pytest
from stack import Stack, long_interval
from upstream import payload_bytes

PAGES = ("/", "/heatmap", "/remediation")
DONE = json.loads(payload_bytes("status-warmed_up-20"))


@pytest.fixture(scope="module")
def running():
    """Nothing is fetched during a test, because the buckets are long. No micro-cache hides what the workers know."""
    with Stack(interval=long_interval(), l1=False, env={"TFT_ANONYMOUS": "operator"}) as stack:
        stack.wait_fleet()
        yield stack


@pytest.fixture
def stack(running):
    """As after the start. A call that the previous test held back may still fail now and open the breaker once more."""
    running.upstream.warmup.release()
    running.upstream.warmup.reset_controls()
    running.upstream.scenario_status.reset_controls()
    status(running, done=True)
    running.upstream.scenario = "healthy"

    def as_at_the_start():
        running.redis.delete("tft:brk:status", "tft:brk:scenario", "tft:budget:status", "tft:budget:scenario")
        return knows(running, "Warm-up complete", "HEALTHY") and is_stored(running)

    running.wait(as_at_the_start, 20, "the state at the start")
    return running


def status(stack, done, records=200, count=None):
    body = json.loads(json.dumps(DONE))
    body["warmup"].update(is_warmed_up=done, progress_percent=100 if done else 35, current_size=records)
    if count is not None:
        body["tick_count"] = count
    stack.upstream.warmup.body = json.dumps(body).encode()


def text(stack, path):
    return re.sub("<[^>]+>", "", stack.get(path).text)


def warm_up(page):
    """What a page says of it: nothing once it is complete."""
    found = re.search(r"Warm-up unknown|The daemon is warming up", page)
    return found[0] if found else "Warm-up complete"


def knows(stack, warmup, scenario):
    page = text(stack, "/")
    return warm_up(page) == warmup and f"Actual{scenario}" in page


def is_stored(stack):
    """The pages as they were stored are still true."""
    return all("render" not in stack.get(path).headers["Server-Timing"] for path in PAGES)


def told(stack):
    """The same facts from every place that shows them."""
    facts = {path: warm_up(text(stack, path)) for path in PAGES}
    advanced = text(stack, "/advanced")
    facts["advanced"] = {"complete": "Warm-up complete", "not complete": "The daemon is warming up"}.get(
        (re.search(r"Warm-up(complete|not complete)", advanced) or [""] * 2)[1], "Warm-up unknown"
    )
    warmup = stack.get("/api/v1/status").json()["warmup"]
    facts["api"] = (
        "Warm-up unknown" if not warmup["known"] else "Warm-up complete" if warmup["is_warmed_up"] else "The daemon is warming up"
    )
    return facts


def all_tell(stack, fact):
    return set(told(stack).values()) == {fact}


def test_stored_pages_are_hits_while_nothing_changes(stack):
    """However often the facts are fetched, the stored pages are still true."""
    asked = stack.upstream.warmup.count
    first = [stack.get(path).content for path in PAGES]
    stack.wait(lambda: stack.get("/").ok and stack.upstream.warmup.count > asked + 1, what="two more answers of /status")
    assert is_stored(stack)
    assert [stack.get(path).content for path in PAGES] == first


def test_daemon_that_has_gone_is_not_told_to_have_warmed_up(stack):
    stack.upstream.warmup.cut = -1
    stack.wait(lambda: text(stack, "/").count("Warm-up unknown"), what="unknown")
    assert all_tell(stack, "Warm-up unknown")
    stack.redis.delete("tft:brk:status")
    stack.upstream.warmup.reset_controls()
    stack.wait(lambda: all_tell(stack, "Warm-up complete") and is_stored(stack), what="complete again")


def test_daemon_that_warms_up_again_is_told_everywhere_with_its_age(stack):
    calls = stack.upstream.predictions.count
    status(stack, done=False, records=60)
    stack.wait(lambda: "mean 60" in text(stack, "/"), what="the warm-up")
    assert all_tell(stack, "The daemon is warming up")
    assert re.search(r"mean 60 \(asked at \d\d:\d\d:\d\d UTC\)\.", text(stack, "/"))
    assert stack.upstream.predictions.count == calls, "nobody has asked for predictions again"
    status(stack, done=True)
    stack.wait(lambda: all_tell(stack, "Warm-up complete") and is_stored(stack), what="the stored pages again")


def test_scenario_is_told_everywhere_at_once(stack):
    answer = stack.post("/scenario", {"scenario": "critical", "confirm": "1"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.headers["Location"].endswith("critical")
    for _ in range(4):  # whichever worker answers
        page = text(stack, "/")
        assert "ActualCRITICAL" in page
        assert re.search(r"ActualCRITICAL 5 of 20 servers affected[^)]*\(asked at \d\d:\d\d:\d\d UTC\)", page)
        assert "Now: critical" in text(stack, "/advanced")
        assert stack.get("/api/v1/status").json()["scenario"]["scenario"] == "critical"


def test_what_was_known_counts_for_a_minute(stack):
    """The daemon is busy and silent: its last answer stays, and then expires."""
    stack.upstream.warmup.hold()
    asked = stack.upstream.warmup.count
    stack.wait(lambda: stack.upstream.warmup.count > asked and stack.get("/"), what="a question without answer")
    for age, known in ((58000, True), (61000, False)):
        now = int(stack.redis.time()[0]) * 1000
        digest = stack.redis.hget("tft:said", "status").split()[1].decode()
        stack.redis.hset("tft:cur:status", "gen", now - age)
        stack.redis.hset("tft:said", "status", f"{now - age} {digest}")
        assert all_tell(stack, "Warm-up complete" if known else "Warm-up unknown"), age
        assert is_stored(stack) == known


def test_nobody_asks_for_the_status_while_predictions_are_computed(stack_factory, upstream):
    upstream.predictions.hold()
    stack = stack_factory(upstream=upstream, interval=long_interval())
    upstream.predictions.arrived.wait(10)
    asked = upstream.warmup.count
    bucket = stack.redis.time()[0] // 2
    stack.wait(lambda: stack.get("/").text and stack.redis.time()[0] // 2 > bucket + 1, what="two more buckets of the status")
    assert upstream.warmup.count == asked
    upstream.predictions.release()


class Feed:
    """A feed with a batch every second: the daemon's count grows until the feed stops."""

    def __init__(self, stack):
        self.stack, self.over, self.numbers = stack, threading.Event(), itertools.count(300)
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()

    def run(self):
        for number in self.numbers:
            status(self.stack, done=True, count=number)
            self.last = self.stack.redis.time()[0]
            if self.over.wait(1):
                return


def seconds(clock):
    hours, minutes, rest = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + rest


def test_stopped_feed_is_told_within_ten_seconds_and_with_its_time(stack):
    with Feed(stack) as feed:
        period = lambda: json.loads(stack.redis.hget(key(stack), "body"))["ticks"]["period"]  # noqa: E731
        stack.wait(lambda: stack.redis.exists(key(stack)) and period() > 0, 20, "the usual time of a batch is known")
        assert "No new data" not in text(stack, "/")
    stopped = feed.last
    stack.wait(lambda: "No new data" in text(stack, "/heatmap"), 12, "the feed that has stopped")
    assert stack.redis.time()[0] - stopped <= 10
    for path in PAGES:
        since = re.search(r"No new data has reached the daemon since (\d\d:\d\d:\d\d) UTC", text(stack, path))[1]
        assert (seconds(since) - stopped) % 86400 <= 3, path
    silent = stack.get("/api/v1/status").json()["upstream"]["feed"]["silent_since"]
    assert silent[11:19] == since
    status(stack, done=True, count=9999)
    stack.wait(lambda: "No new data" not in text(stack, "/"), what="the feed again")
    assert stack.get("/api/v1/status").json()["upstream"]["feed"]["silent_since"] is None


def key(stack):
    return "tft:status:" + (stack.redis.hget("tft:cur:status", "bucket") or b"").decode()
