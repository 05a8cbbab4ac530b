# SPDX-License-Identifier: MIT
"""Pages of the past as viewers see them: they cannot be mistaken for live ones, never refresh, and lead through time."""
import re

import pytest
from browser import Browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from stack import Stack, wait_until
from test_t1600_moments import iso
from upstream import Upstream

STEP = 5000


def in_a_row(stack):
    """Five successive moments, None while there are none: a busy machine may miss a bucket."""
    ids = [int(key.split(b"-")[0]) for key, _ in stack.redis.xrange("tfthist:full")]
    return next((ids[i:i + 5] for i in range(len(ids) - 4) if ids[i + 4] - ids[i] == 4 * STEP), None)


def live_through(stack):
    """From the past of Redis' clock to the present, which is that of the browser."""
    while stack.ahead < -STEP // 1000:
        stack.next_snapshot()


@pytest.fixture(scope="module")
def fleet():
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        upstream.scenario = "critical"
        with Stack(workers=2, interval=STEP // 1000, upstream=upstream, ahead=-30) as stack:
            stack.wait_fleet()
            live_through(stack)
            stack.wait(lambda: in_a_row(stack), 60, "five moments in a row")
            yield stack


@pytest.fixture(scope="module")
def moments(fleet):
    """Four in a row that are over."""
    return in_a_row(fleet)[:4]


def open_at(window, fleet, path, ms):
    window.open(fleet.url(f"{path}{'&' if '?' in path else '?'}at={iso(ms)}"))
    return window


def shown(window):
    return window.run("return new URL(location.href).searchParams.get('at')")



def test_the_band_cannot_be_overlooked(window, fleet, moments):
    for name, path, size in (("past", "/", (1280, 900)), ("past-kiosk", "/?view=kiosk", (1280, 720)), ("past-phone", "/", (360, 780))):
        window.size(*size)
        for scheme in ("light", "dark"):
            window.prefer(scheme)
            open_at(window, fleet, path, moments[0])
            band = window.one("#state .band")
            assert band.is_displayed() and f"As it was at {iso(moments[0])[11:19]} UTC, " in band.text
            assert re.search(r"\((\d+ min|\d+ s) ago\)", window.run("return getComputedStyle(document.querySelector('.band time'), '::after').content"))
            assert window.run("return getComputedStyle(document.body).outlineStyle") == "dashed"
            assert window.run("return getComputedStyle(document.querySelector('#badge')).position") == "fixed"
            assert window.text("#badge").startswith("Past: ")
            assert not window.all(".refresh") and not window.all("#pause")
            assert window.page_width() <= size[0]
            assert window.findings() == []
            window.shot(f"{name}-{scheme}", full=False)
    window.prefer("light")
    window.size(1280, 900)
    assert window.complaints() == []


def test_a_past_page_never_asks_again(window, fleet, moments):
    open_at(window, fleet, "/heatmap", moments[0])
    before = window.run("return performance.getEntriesByType('resource').length")
    title = window.run("return document.title")
    bucket = fleet.committed()
    fleet.wait(lambda: fleet.committed() > bucket + 1, 20, "two buckets")
    window.run("document.dispatchEvent(new Event('visibilitychange')); dispatchEvent(new Event('offline')); dispatchEvent(new Event('online'))")
    window.keys("r")
    assert window.run("return performance.getEntriesByType('resource').length") == before
    assert window.run("return document.title") == title and title.startswith(iso(moments[0])[11:16])
    assert window.run("return document.querySelector('#state').dataset.state") == "past"


def test_arrow_keys_move_by_a_bucket_without_leaving_the_page(window, fleet, moments):
    open_at(window, fleet, "/heatmap?metric=cpu", moments[0])
    window.run("window.stays = true; document.querySelector('#view').dataset.same = 'yes'")
    for i in (1, 2, 1):
        window.keys(Keys.ARROW_RIGHT if i > 0 and shown(window) < iso(moments[i]) else Keys.ARROW_LEFT)
        window.wait(f"new URL(location.href).searchParams.get('at') === '{iso(moments[i])}'")
        assert window.run("return document.querySelector('#view').dataset.bucket") == str(moments[i] // STEP)
        assert window.run("return document.querySelector('#at').value") == iso(moments[i])
        assert iso(moments[i])[11:19] in window.text("#state .band")
    assert window.run("return window.stays") is True
    assert all(f"at={iso(moments[1])}" in link for link in window.run("return [...document.querySelectorAll('nav a')].slice(0, 5).map(a => a.href)"))
    window.run("history.back()")
    window.wait(f"document.querySelector('#at').value === '{iso(moments[2])}'")
    assert window.complaints() == []


def test_in_a_field_arrow_keys_are_the_fields(window, fleet, moments):
    open_at(window, fleet, "/", moments[1])
    window.run("document.querySelector('#find').focus()")
    window.keys(Keys.ARROW_LEFT)
    assert shown(window) == iso(moments[1])


def test_play_goes_on_by_itself_and_stops(window, fleet, moments):
    open_at(window, fleet, "/", moments[0])
    window.run("window.stays = true")
    window.one("#play").click()
    window.wait(f"document.querySelector('#at').value === '{iso(moments[2])}'", 10)
    window.one("#play").click()
    assert window.text("#play") == "Play" and window.run("return window.stays") is True


def test_a_step_beyond_the_present_leads_to_the_live_page(window, fleet, moments):
    open_at(window, fleet, "/heatmap?metric=cpu", moments[0])
    window.one("[data-step='3600000']").click()
    window.wait("document.querySelector('#state') && document.querySelector('#state').dataset.state !== 'past'")
    assert window.run("return location.pathname + location.search") == "/heatmap?metric=cpu"


def test_the_strip_leads_where_it_points(window, fleet, moments):
    open_at(window, fleet, "/", moments[2])
    window.run("window.stays = true")
    columns = window.all("#strip a")
    assert columns
    target = window.run("return document.querySelector('#strip a').getAttribute('href')")
    drag = ActionChains(window.driver).move_to_element(columns[0].find_element("css selector", "rect")).click_and_hold()
    drag.move_by_offset(0, 3).perform()
    assert re.match(r"\d\d:\d\d: \d+ Imminent Failure", window.text("#aim"))
    ActionChains(window.driver).release().perform()
    window.wait(f"location.search === {target!r}")
    assert window.run("return window.stays") is True


def test_the_link_to_this_moment_is_copied(window, fleet):
    window.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": fleet.url("")})
    window.open(fleet.url("/heatmap?metric=cpu"))
    link = window.run("return document.querySelector('#moment').href")
    assert re.fullmatch(re.escape(fleet.url("/heatmap")) + r"\?metric=cpu&at=[\d-]+T[\d:]+Z", link)
    window.run("window.copied = null; navigator.clipboard.writeText = async text => { window.copied = text; }")
    # A text that comes with a refresh waits for its turn, and may take that of another one.
    window.run("window.said = []; const region = document.querySelector('#said');"
               "new MutationObserver(() => said.push(region.textContent)).observe(region, {childList: true})")
    window.run("document.querySelector('#moment').click()")
    window.wait("window.copied !== null")
    assert re.search(r"/heatmap\?metric=cpu&at=", window.run("return window.copied"))
    window.wait("said.includes('Link copied')")
    assert window.run("return location.search") == "?metric=cpu"


def test_without_script_all_of_it_is_links(fleet, moments):
    with Browser(script=False) as plain:
        open_at(plain, fleet, "/heatmap?metric=cpu", moments[1])
        plain.one("[data-step='-5000']").click()
        assert plain.driver.current_url.endswith(f"/heatmap?metric=cpu&at={iso(moments[0])}")
        field = plain.one("#at")
        field.clear()
        field.send_keys(iso(moments[2])[:-1].replace("T", " "))
        field.submit()
        assert plain.driver.current_url.endswith(f"/heatmap?metric=cpu&at={iso(moments[2])}")
        wait_until(lambda: plain.all("#strip a"), 20, "the page of the form")[0].click()
        assert "As it was at" in plain.text("#state")  # a feed that stands still has a band too
        plain.one("#live").click()
        assert plain.driver.current_url.endswith("/heatmap?metric=cpu")
        plain.one("#moment").click()
        assert "As it was at" in plain.text("#state")  # a feed that stands still has a band too


def test_a_click_on_a_chart_leads_to_its_moment(window, fleet):
    window.open(fleet.url("/history?metric=prob_30m"))
    ActionChains(window.driver).move_to_element(window.one("#history > svg")).perform()
    window.wait("document.querySelector('#history .live canvas')")
    plot = window.one("#history .u-over")
    ActionChains(window.driver).move_to_element_with_offset(plot, plot.size["width"] // 2 - 2, 0).click().perform()
    window.wait("document.querySelector('#state') && document.querySelector('#state').dataset.state === 'past' || document.querySelector('#neighbours')")
    assert "/history?" in window.driver.current_url and "at=" in window.driver.current_url
