# SPDX-License-Identifier: MIT
"""Interactive charts: values under the cursor, the same moment in all charts, zoom (doc/pages.md#history,
doc/pages.md#server)."""
import re

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from stack import Stack
from upstream import Upstream

CRITICAL = "predictions_current-critical-90"
WORSE = "predictions_current-critical_escalated-90"


@pytest.fixture(scope="module")
def fleet():
    """Half an hour of history: four of 90 servers at Imminent Failure, ppdb011 at risk 42.5."""
    with Upstream(predictions=CRITICAL) as upstream:
        with Stack(workers=2, interval=5, upstream=upstream) as stack:
            stack.wait_fleet()
            now = int(stack.redis.hget("tft:cur:fleet", "bucket")) * 5000
            stack.redis.delete("tfthist:fleet", "tfthist:hours", "tfthist:risk", "tfthist:riskhours")
            batch = stack.redis.pipeline()
            for at in range(now - 1800_000, now + 1, 5000):
                record = "1 0.25 0.5 4 2 1 3 10 21 49 28890 999 ppdb011 critical"
                batch.xadd("tfthist:fleet", {"d": record}, id=f"{at}-0")
                batch.xadd("tfthist:risk", {"s": "x", "r": "bt", "n": "ppdb011"}, id=f"{at}-0")
            batch.execute()
            yield stack


@pytest.fixture
def page(window, fleet):
    fleet.upstream.predictions.load(CRITICAL)
    window.size(1280, 900)
    return window


def point(page, css, x):
    """Moves the mouse over the first such plot; x goes from -0.5, its left edge, to 0.5. Returns the legends of all."""
    plot = page.all(css)[0]
    page.run("arguments[0].scrollIntoView({block: 'center'})", plot)
    ActionChains(page.driver).move_to_element_with_offset(plot, int(plot.size["width"] * x), 5).perform()
    return legends(page)


def legends(page):
    return page.run("return [...document.querySelectorAll('.live .u-legend')].map(l => l.innerText.replace(/[\\t\\n:]/g, ''))")


def test_nothing_is_fetched_before_somebody_points(page, fleet):
    page.open(fleet.url("/server/ppdb011"))
    assert not page.all(".live")
    assert "format=json" not in str(page.run("return performance.getEntriesByType('resource').map(e => e.name)"))


def test_the_cursor_of_one_is_the_cursor_of_all(page, fleet):
    """The drawing stays; the time and the values under the pointer are read out of it."""
    page.open(fleet.url("/server/ppdb011"))
    page.complaints()
    plot = page.one("#course-memory svg.course")
    page.run("arguments[0].scrollIntoView({block: 'center'})", plot)
    for place, words in ((0.25, r"\d\d:\d\d: median [\d.]+%, p10 to p90 [\d.]+% to [\d.]+%"), (-0.25, r"\d\d:\d\d: no value")):
        ActionChains(page.driver).move_to_element_with_offset(plot, int(plot.size["width"] * place), 5).perform()
        page.wait("document.querySelectorAll('.readout').length === 14")
        shown = page.run("return [...document.querySelectorAll('.readout')].map(r => r.textContent)")
        assert len({text[:5] for text in shown}) == 1, shown
        assert re.fullmatch(words, page.text("#course-memory .readout"))
        assert page.one("#course-memory svg.course").get_attribute("aria-valuetext") == page.text("#course-memory .readout")
        places = page.run("return [...document.querySelectorAll('.cursor')].map(line => line.getAttribute('x1'))")
        assert len(places) == 14 and len(set(places)) == 1 and (int(places[0]) > 0) == (place > 0)
    page.shot("charts", full=False)
    assert page.complaints() == []


@pytest.mark.parametrize(
    "path, css",
    [
        ("/server/ppdb011", "#course-cpu svg.course"),
        ("/server/ppdb011", "#risk-history > svg"),
        ("/history", "figure.curve > svg.lines"),
        ("/history?metric=levels", "#history > svg"),
        ("/top", "details[open] svg.fan"),
    ],
)
def test_the_arrow_keys_move_the_cursor_and_its_values_are_announced(page, fleet, path, css):
    page.open(fleet.url("/docs"))
    ActionChains(page.driver).move_to_element(page.one("body > header")).perform()  # away from the drawings
    page.open(fleet.url(path))
    page.complaints()
    drawing = page.all(css)[0]
    page.run("arguments[0].focus()", drawing)
    heard = []
    for key in (Keys.HOME, Keys.END, Keys.ARROW_LEFT):
        page.keys(key)
        heard.append(drawing.get_attribute("aria-valuetext"))
        assert page.run("return arguments[0].nextElementSibling.textContent", drawing) == heard[-1]
    times, words = zip(*(re.fullmatch(r"(.*\d\d:\d\d): (.*)", text).groups() for text in heard))
    assert times[0] != times[1] and re.search(r"\d", words[-1]), heard
    assert drawing.get_attribute("role") == "slider"
    assert page.run("const s = getComputedStyle(arguments[0]); return [s.outlineStyle, s.outlineWidth]", drawing) == ["solid", "3px"]
    assert page.findings() == []
    assert page.complaints() == []


@pytest.mark.parametrize("path, css", [("/history?metric=risk", "#history"), ("/server/ppdb011", "#risk-history")])
def test_the_arrow_keys_move_the_cursor_of_a_chart_that_can_be_zoomed(page, fleet, path, css):
    """The drawing lies on its chart and keeps the keyboard, over a refresh, too."""
    page.open(fleet.url(path))
    page.complaints()
    drawing = page.one(f"{css} > svg")
    page.run("arguments[0].focus()", drawing)
    ActionChains(page.driver).move_to_element(drawing).perform()
    page.wait(f"document.querySelector('{css} .live canvas')")
    shown = []
    for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.END):
        page.keys(key)
        assert page.text(f"{css} .readout") == drawing.get_attribute("aria-valuetext")
        shown.append(page.text(f"{css} .u-legend"))
    assert shown[0] != shown[-1] and "Time" in shown[-1], shown
    rect = "const {left, top, width} = arguments[0].getBoundingClientRect(); return [left, top, width].map(Math.round)"
    assert page.run(rect, drawing) == page.run(rect, page.one(f"{css} .live"))
    page.shot("keys" + css, full=False)
    assert page.polled(changed=True)
    assert page.run("return document.activeElement === arguments[0]", drawing)
    assert page.findings() == []
    assert page.complaints() == []


def test_a_refresh_keeps_the_cursor_and_the_focus(page, fleet):
    page.open(fleet.url("/server/ppdb011"))
    page.run("document.querySelector('#course-load svg.course').focus()")
    page.keys(Keys.ARROW_LEFT)
    assert page.polled(changed=True)
    assert page.run("return document.activeElement.parentElement.id") == "course-load"
    assert len(page.all(".readout")) == len(page.all(".cursor")) == 14
    page.keys(Keys.ARROW_RIGHT)
    assert page.one("#course-load .cursor").get_attribute("x1") == "0"


def test_a_day_of_risk_is_interactive(page, fleet):
    page.open(fleet.url("/server/ppdb011"))
    ActionChains(page.driver).move_to_element(page.one("#risk-history > svg")).perform()
    page.wait("document.querySelector('#risk-history .live canvas')")
    point(page, "#risk-history .u-over", 0.495)
    assert re.search(r"risk42\.5", legends(page)[-1])
    assert len(page.all(".live")) == 1, "the hours before and after keep their drawings"


@pytest.mark.parametrize(
    "query, words",
    [
        ("?metric=prob_30m", r"Incident index \(next 30 minutes\)25\.0"),
        ("?metric=levels", "IM4CR2DN1WN3DG10WT21OK49"),
        ("?metric=risk", r"mean32\.1highest99\.9"),
    ],
)
def test_history_is_interactive(page, fleet, query, words):
    page.open(fleet.url("/history" + query))
    ActionChains(page.driver).move_to_element(page.one("#history > svg")).perform()
    page.wait("document.querySelector('#history .live canvas')")
    assert re.search(words, point(page, "#history .u-over", 0.1)[0])
    page.shot("history" + re.sub(r"\W", "-", query), full=False)
    assert page.complaints() == []


def test_a_chart_follows_the_time(page, fleet):
    """After a refresh, the moment that was the newest is left of the edge."""
    page.open(fleet.url("/history?metric=prob_30m"))
    ActionChains(page.driver).move_to_element(page.one("#history > svg")).perform()
    page.wait("document.querySelector('#history .live canvas')")
    before = point(page, "#history .u-over", -0.499)[0]
    assert page.polled(changed=True)
    page.wait("document.querySelector('#history .u-legend').innerText.replace(/[\\t\\n:]/g, '') !== " + repr(before))


ZOOMED = "document.querySelector('#history .zoomed')?.innerText"


def labels(page):
    """The labels of the time axis, as written to the canvas, which is painted a little later than requested."""
    return page.driver.execute_async_script(
        "const done = arguments[0], texts = [], real = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (text, ...all) { texts.push(text); real.call(this, text, ...all); };"
        "const theme = Object.assign(document.createElement('i'), {id: 'theme'});"
        "document.body.append(theme); theme.dispatchEvent(new Event('change', {bubbles: true})); theme.remove();"
        "requestAnimationFrame(() => setTimeout(() => {"
        "  CanvasRenderingContext2D.prototype.fillText = real;"
        "  done(texts.filter(text => /:/.test(text))); }));"
    )


def test_title_statistics_and_labels_are_those_of_the_zoom(page, fleet):
    """The last minute of half an hour."""
    page.open(fleet.url("/history?metric=prob_30m"))
    page.complaints()
    ActionChains(page.driver).move_to_element(page.one("#history > svg")).perform()
    page.wait("document.querySelector('#history .live canvas')")
    whole = page.text("#history h2"), page.text("#statistics")
    for _ in range(2):  # each to within a sixth
        plot = page.one("#history .u-over")
        across = ActionChains(page.driver).move_to_element(plot).click_and_hold()
        across.move_by_offset(plot.size["width"] // 6, 0).release().perform()
    title, figures = [line for line in page.wait(ZOOMED).split("\n") if line]
    start, end = re.fullmatch(r"Incident index \(next 30 minutes\), ([\d:]{8}) to ([\d:]{8})", title).groups()
    assert start != end
    count = int(re.fullmatch(r"Last 25\.0%, Average 25\.0%, Minimum 25\.0%, Maximum 25\.0%, Points (\d+)", figures).group(1))
    assert 5 <= count <= 20
    assert [h.text for h in page.all("#history h2") if h.is_displayed()] == [title]
    assert not page.one("#statistics").is_displayed()
    shown = labels(page)
    assert len(shown) >= 2 and len(shown) == len(set(shown)), shown
    assert page.polled(changed=True)
    page.wait(f"{ZOOMED} && document.querySelectorAll('.zoomed').length === 1")
    page.shot("history-zoomed", full=False)
    ActionChains(page.driver).double_click(page.one("#history .u-over")).perform()
    page.wait(f"!{ZOOMED}")
    assert page.text("#history h2") == whole[0] and page.one("#statistics").is_displayed()
    assert page.complaints() == []
