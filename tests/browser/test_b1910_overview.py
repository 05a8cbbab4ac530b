# SPDX-License-Identifier: MIT
"""Five questions in five seconds (doc/pages.md#overview): what is wrong, where, since when, how sure, what next."""
import re

import pytest
from stack import Stack, long_interval
from upstream import Upstream

RUNBOOK = "https://wiki.example/{profile}/{server}"

# Text that is drawn above this line, with what the browser's font makes of it.
ABOVE = """
const [limit] = arguments, words = [];
const walker = document.createTreeWalker(document.querySelector('#view'), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (box.height && box.bottom + scrollY <= limit)
        words.push(walker.currentNode.textContent);
}
return words.join('');
"""


@pytest.fixture(scope="module")
def critical():
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        upstream.scenario = "critical"
        with Stack(workers=2, interval=long_interval(), upstream=upstream, env={"TFT_RUNBOOK_URL": RUNBOOK}) as stack:
            stack.wait_fleet()
            # As if levels had been watched for a while: the next snapshot continues this one.
            stack.redis.set("tft:epoch:fleet", "flushed")
            first = stack.redis.hget("tft:cur:fleet", "snap")
            stack.wait(lambda: stack.get("/").ok and stack.redis.hget("tft:cur:fleet", "snap") != first, 20, "a second snapshot")
            stack.wait_fleet()
            yield stack


@pytest.fixture
def page(window, critical):
    window.size(1440, 900)
    window.open(critical.url("/"))
    yield window
    window.size(1280, 900)


def above(page, limit):
    return re.sub(r"\s+", " ", page.run(ABOVE, limit))


def test_five_questions_are_answered_in_the_first_900_pixels(page):
    text = above(page, 900)
    assert "20 of 90 servers need attention, 4 at Imminent Failure" in text, "what is wrong"
    assert "ppdb011, ppdb008, ppetl003 and 1 more" in text, "where"
    assert re.search(r"ppdb011 (at least )?since \d\d:\d\d:\d\d UTC", text), "since when"
    assert "forecasts have come true" in text or "forecasts held" in text, "how sure"
    assert "Next: why and forecast" in text and "runbook" in text, "what next"


def test_the_reason_of_the_worst_server_is_one_click_away(page):
    page.all(".cases .next a")[0].click()
    assert page.driver.current_url.endswith("/server/ppdb011")
    page.driver.back()
    assert page.all(".cases .next a[rel]")[0].get_attribute("href") == "https://wiki.example/db/ppdb011"


def test_one_verdict_leads(page):
    """The environment's milder word stands below, with why it differs."""
    assert page.driver.title.startswith("(20) Imminent Failure - ")
    assert page.text("header .chip") == page.text("#sentence .chip") == "Imminent Failure"
    assert "Caution" in page.text("#environment") and "shares of the fleet" in page.text("#environment")
    page.shot("overview-critical-whole")
    assert page.complaints() == []


@pytest.mark.parametrize("width", [320, 360])
def test_a_phone_begins_with_the_sentence_and_the_worst(page, width):
    page.size(width, 780)
    text = above(page, 780)
    assert "20 of 90 servers need attention, 4 at Imminent Failure: ppdb011, ppdb008, ppetl003 and 1 more." in text
    for name in ("ppdb011", "ppdb008", "ppetl003"):
        assert re.search(f"{name} ?Imminent Failure", text), name
    assert page.page_width() <= width
    page.shot(f"phone-{width}-critical")


def test_nothing_is_said_twice(page):
    text = page.text("main")
    for once in ("servers need attention", "not a probability", "healthy (risk below 50)", "forecasts"):
        assert text.count(once) <= (2 if once == "forecasts" else 1), once
    assert "Warm-up" not in page.text("body") and "Bucket" not in page.text("body")
