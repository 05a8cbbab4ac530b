# SPDX-License-Identifier: MIT
"""What changed, in a browser: the panel of the overview, and the offer to viewers who come back."""
import re

import pytest
from browser import Browser
from stack import Stack
from test_t1600_moments import INTERVAL, iso
from upstream import Upstream


@pytest.fixture(scope="module")
def fleet():
    with Upstream(predictions="predictions_current-healthy-90") as upstream:
        upstream.scenario = "healthy"
        with Stack(workers=1, interval=INTERVAL, l1=False, upstream=upstream, ahead=-2 * INTERVAL) as stack:
            stack.wait_fleet()
            stack.then = iso(stack.committed() * INTERVAL * 1000)
            upstream.predictions.load("predictions_current-critical-90")
            upstream.scenario = "critical"
            stack.next_snapshot()
            stack.next_snapshot()
            yield stack


def press(page, css):
    """Clicks the first one, where the navigation of a phone does not cover it."""
    page.run("arguments[0].scrollIntoView({block: 'center'})", page.all(css)[0])
    page.all(css)[0].click()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_overview_leads_to_what_changed(fleet, width):
    with Browser(width=width) as page:
        page.open(fleet.url("/"))
        lines = page.all(".changed > li")
        assert 1 <= len(lines) <= 6 and lines[0].text == "Scenario: critical, was healthy"
        press(page, ".changed summary")
        assert page.all(".changed details[open] li a")[0].is_displayed()
        page.shot(f"overview-changed-{width}")
        press(page, "#changes > p a")
        page.wait("location.pathname === '/changes'")
        assert "Changed since" in page.text("#changes h2") and page.all("#changes-table tbody tr")
        page.shot(f"changes-{width}")
        assert page.page_width() <= width
        assert page.complaints() == []


def visit(page, fleet, ago_s):
    """As after a visit that ended this long ago; returns the link that is offered, or None."""
    page.open(fleet.url("/heatmap"))
    page.run("localStorage.clear(); localStorage.setItem('tft-seen', Date.now() - arguments[0] * 1000)", ago_s)
    page.open(fleet.url("/server/ppdb011"))
    links = page.all("#visit")
    return links[0] if links else None


def test_who_comes_back_is_offered_what_changed_since(fleet):
    with Browser() as page:
        for ago in (60, 8 * 86400):
            assert visit(page, fleet, ago) is None
        link = visit(page, fleet, 8 * 3600)
        assert link.text == "Since you were here"
        since = int(re.search(r"/changes\?since=(\d+)$", link.get_attribute("href"))[1])
        assert abs(page.run("return Date.now() / 1000") - 8 * 3600 - since) < 30
        # It stays for the whole visit.
        page.open(fleet.url("/"))
        page.one("#visit").click()
        page.wait("location.pathname === '/changes'")
        assert "Nothing is kept of" in page.text("#changes")
        assert page.complaints() == []
