# SPDX-License-Identifier: MIT
"""The page of a server as viewers see it: what they ask it at night, in how many clicks, on every screen (doc/pages.md#server)."""
import pytest
from stack import Stack
from upstream import Upstream

CRITICAL = "predictions_current-critical-90"


@pytest.fixture(scope="module")
def fleet():
    """90 servers, with 8 hours of records that are all the same."""
    with Upstream(predictions=CRITICAL) as upstream:
        with Stack(workers=2, interval=5, upstream=upstream) as stack:
            stack.wait_fleet()
            fields = stack.redis.xrange("tfthist:forecasts", count=1)[0][1]
            now = int(stack.redis.hget("tft:cur:fleet", "bucket")) * 5000
            stack.redis.unlink("tfthist:forecasts")
            for minutes in range(480, 4, -5):
                stack.redis.xadd("tfthist:forecasts", fields, id=f"{now - minutes * 60_000}-0")
            yield stack


@pytest.fixture
def page(window, fleet):
    window.size(1440, 900)
    window.prefer("light")
    window.open(fleet.url("/"))
    window.complaints()
    return window


def test_its_last_day_is_one_click_away_and_a_comparison_two(page, fleet):
    page.all("#alerts tbody th a")[0].click()
    page.wait("location.pathname.startsWith('/server/')")
    name = page.text("h1")
    assert page.all("#risk-history > svg") and len(page.all("#course svg.course")) == 4
    page.one("#compare ul a").click()
    page.wait("location.search.startsWith('?with=')")
    assert page.text("h1") == name
    other = page.text("#compare h3")
    assert other != name and all(other in text for text in page.run("return [...document.querySelectorAll('#course figcaption')].map(f => f.innerText)"))
    assert page.complaints() == []


def test_a_name_can_be_written(page, fleet):
    page.open(fleet.url("/server/ppdb011"))
    page.one("#with").send_keys("ppml0011")
    page.one("#compare button").click()
    page.wait("location.search === '?with=ppml0011'")
    assert page.text("#compare h3") == "ppml0011"


def test_what_is_asked_at_night_is_answered_on_the_first_screen(page, fleet):
    """Which server, how bad, what is wrong, what comes next: within 900 px."""
    page.open(fleet.url("/server/ppdb011"))
    bottom = "return document.querySelector(arguments[0]).getBoundingClientRect().bottom"
    for css in ("h1", "#server .value", "#course-cpu", "#course-memory", "#course-iowait", "#why tfoot"):
        assert 0 < page.run(bottom, css) <= 900, css


@pytest.mark.parametrize("size", [(1440, 900), (360, 780)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?with=ppdb008"])
def test_it_fits_every_screen(page, fleet, size, scheme, query):
    page.size(*size)
    page.prefer(scheme)
    page.open(fleet.url("/server/ppdb011" + query))
    page.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.page_width() <= size[0]
    assert page.findings() == []
    page.shot(f"server-{size[0]}-{scheme}{'-with' if query else ''}")
    assert page.complaints() == []


def test_nothing_moves_when_the_data_change(page, fleet):
    page.open(fleet.url("/server/ppdb011"))
    page.run("""window.moved = 0;
        new PerformanceObserver(list => list.getEntries().forEach(e => window.moved += e.value)).observe({type: 'layout-shift', buffered: true})""")
    places = "return [...document.querySelectorAll('main figure, main section')].map(e => Math.round(e.getBoundingClientRect().top))"
    before = page.run(places)
    assert page.polled(changed=True)
    assert page.run(places) == before and page.run("return window.moved") == 0
