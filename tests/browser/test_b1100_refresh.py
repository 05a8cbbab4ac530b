# SPDX-License-Identifier: MIT
"""A page that stays current while a viewer reads and uses it (doc/pages.md#refresh)."""
import json
import re

import pytest
from stack import Stack
from upstream import Upstream, payload_bytes

CALM = "predictions_current-healthy-20"
CRITICAL = "predictions_current-critical-90"
WORSE = "predictions_current-critical_escalated-90"


@pytest.fixture(scope="module")
def fleet():
    with Upstream(predictions=CRITICAL) as upstream:
        with Stack(workers=3, interval=5, upstream=upstream) as stack:
            stack.wait_fleet()
            yield stack


@pytest.fixture
def page(window, fleet):
    """The overview, with a daemon that answers, nothing in storage, and no messages on the console."""
    fleet.upstream.predictions.load(CRITICAL)
    window.open(fleet.url("/healthz"))
    window.run("localStorage.clear()")
    window.size(1280, 900)
    window.open(fleet.url("/"))
    window.wait("document.querySelector('#state').dataset.state === 'live' && document.title.startsWith('(20)')")
    window.complaints()
    return window


def next_buckets(stack, count):
    """Waits until the data have changed that many times."""
    bucket = stack.get("/api/v1/fleet").json()["bucket"]
    stack.wait(lambda: stack.get("/api/v1/fleet").json()["bucket"] >= bucket + count, 20, "new data")


def test_new_data_come_by_themselves_and_nothing_else_moves(page, fleet):
    page.run(
        "document.querySelector('#view details').open = true;"
        "const row = document.querySelector('#alerts-table tbody tr:nth-child(12)'), link = row.querySelector('a');"
        "link.scrollIntoView({block: 'center'}); link.focus({preventScroll: true});"
        "window.kept = link; window.y = scrollY;"
    )
    bucket = page.run("return document.querySelector('#view').dataset.bucket")
    assert page.polled(changed=True)
    assert page.run("return document.querySelector('#view').dataset.bucket") > bucket
    assert page.run("return document.querySelector('#view details').open")
    assert page.run("return scrollY === window.y && scrollY > 0")
    assert page.run("return document.activeElement === window.kept && window.kept.isConnected")
    assert page.complaints() == []


def test_numbers_change_in_place(page, fleet):
    page.run("window.kept = document.querySelector('#alerts')")
    before = page.text("#alerts-table tbody")
    fleet.upstream.predictions.load(WORSE)
    page.wait("document.querySelector('#alerts-table tbody').innerText !== " + repr(before))
    assert page.run("return document.querySelector('#alerts') === window.kept")


def test_text_being_typed_stays(page):
    page.one("#find").click()
    page.keys("ppdb")
    page.run("document.activeElement.setSelectionRange(1, 3)")
    assert page.polled(changed=True)
    field = page.run("const f = document.activeElement; return [f.id, f.value, f.selectionStart, f.selectionEnd]")
    assert field == ["find", "ppdb", 1, 3]


def test_a_form_half_filled_in_holds_the_page_until_the_viewer_agrees(page):
    page.run("document.querySelector('#view input[type=search]').focus()")
    page.keys("web")
    bucket = page.run("return document.querySelector('#view').dataset.bucket")
    page.wait("!document.querySelector('#offer').hidden")
    assert page.run("return document.querySelector('#view').dataset.bucket") == bucket
    assert page.run("return document.activeElement.value") == "web"
    assert page.text("#offer") == "New data - apply"
    page.shot("offer", full=False)
    page.one("#offer").click()
    assert page.run("return document.querySelector('#view').dataset.bucket") > bucket
    assert page.run("return document.querySelector('#view input[type=search]').value") == "web"
    assert not page.one("#offer").is_displayed()


def test_marked_text_holds_the_page_too(page):
    page.run("getSelection().selectAllChildren(document.querySelector('#alerts-table tbody tr'))")
    page.wait("!document.querySelector('#offer').hidden")
    page.run("getSelection().removeAllRanges()")
    assert page.polled(changed=True)
    assert not page.one("#offer").is_displayed()


# Records in window.phases when in a bucket the script plans its next request, less the margin. It goes by the script's own
# clock, from the next tick, so that a busy machine makes no difference. The random number is at its highest: 0.5 s of
# jitter. Retries for late data are left out.
PHASES = """
    const later = setTimeout;
    let planned;
    window.phases = [];
    window.setTimeout = (call, ms) => {
        planned = {at: performance.now() + ms, ms};
        return later(call, ms);
    };
    document.addEventListener('tft:polled', () => {
        const {at, ms} = planned, margin = Math.max(200, Math.min(document.querySelector('#view').dataset.fillMs, 2500));
        document.addEventListener('tft:ticked', event => ms > 1500 &&
            phases.push((at - performance.now() + event.detail) % 5000 - margin), {once: true});
    });
    Math.random = () => 1;
"""


def test_requests_follow_the_edge_of_the_bucket(page):
    page.run(PHASES)
    page.wait("phases.length >= 2", 40)
    assert all(490 < phase < 510 for phase in page.run("return phases"))


COUNT = "const real = fetch; window.asked = 0; window.fetch = (...all) => { asked++; return real(...all); };"
HIDE = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
SEEN = "document.dispatchEvent(new Event('visibilitychange'));"


def test_a_hidden_tab_waits_and_catches_up_at_once(page, fleet):
    page.run(HIDE % "true" + SEEN + COUNT)
    next_buckets(fleet, 2)
    assert page.run("return asked") == 0
    page.run(HIDE % "false" + SEEN)
    assert page.run("return asked") == 1
    page.wait("document.querySelector('#badge').textContent.startsWith('Live - ')")


# From now on the script's timers run fifty times as fast, and window.waits records how long it meant to wait after each
# answer: its last wait before tft:polled. window.answer() gives the answers, and the random number is at its highest.
FAST = """
    const later = setTimeout;
    let last;
    Object.assign(window, {waits: [], asked: 0, setTimeout(call, ms) {
        last = ms;
        return later(call, ms / 50);
    }, fetch: async () => answer(++asked)});
    document.addEventListener('tft:polled', () => waits.push(last));
    Math.random = () => 1;
"""


def waits(page, answer, count):
    page.refresh()  # its ETag is known
    page.run(FAST + f"window.answer = asked => {answer}; document.querySelector('.refresh a').click()")
    page.wait(f"waits.length >= {count}")
    return page.run(f"return waits.slice(0, {count}).map(Math.round)")


def test_a_hidden_tab_asks_once_a_minute(page):
    """Its title and icon can still be seen."""
    page.run(
        "const text = new XMLHttpRequest(); text.open('GET', location.href, false); text.send(); window.old = text.responseText;"
        + HIDE % "true"
    )
    assert waits(page, "new Response(old, {headers: {ETag: asked}})", 3) == [60000] * 3


def test_failures_make_it_ask_ever_more_rarely(page):
    assert waits(page, "{ throw new TypeError() }", 8) == [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]
    assert page.text("#badge").startswith("Offline")


def test_a_time_to_wait_that_the_server_names_counts(page):
    refusal = "new Response('', {status: 503, headers: {'Retry-After': '7'}})"
    assert waits(page, refusal, 2) == [7700, 7700]  # up to a tenth is random, or all viewers would come back at once


def test_data_of_the_last_bucket_are_asked_for_again(page, fleet):
    """It retries every second and more often for a while, and then waits for the next bucket."""
    page.run(
        "const text = new XMLHttpRequest(); text.open('GET', location.href, false); text.send();"
        "window.old = text.responseText.replace(/data-bucket=\"\\d+/, 'data-bucket=\"1')"
        ".replace(/data-interval-ms=\"\\d+/, 'data-interval-ms=\"3600000')"
    )
    planned = waits(page, "new Response(old, {headers: {ETag: asked}})", 9)
    assert planned[:8] == [250, 500, 500, 500, 1000, 1000, 1000, 1000]
    assert planned[8] > 1000


def test_a_server_that_has_left_the_fleet(page, fleet):
    page.open(fleet.url("/server/ppdb011"))
    fleet.upstream.predictions.load(CALM)
    page.wait("document.querySelector('main').innerText.includes('No such server')", 20)
    page.shot("server-unknown", full=False)
    page.complaints()  # the 404


def test_pause_stops_and_resume_refreshes_at_once(page, fleet):
    page.keys("p")
    assert re.fullmatch(r"Paused - \d\d:\d\d:\d\d", page.text("#badge"))
    assert page.text("#pause") == "Resume"
    page.shot("paused", full=False)
    page.run(COUNT)
    next_buckets(fleet, 2)
    assert page.run("return asked") == 0
    page.open(fleet.url("/heatmap"))
    assert page.text("#badge").startswith("Paused"), "the choice is remembered"
    next_buckets(fleet, 1)
    assert page.polled("document.querySelector('#pause').click();", changed=True)
    assert page.text("#badge").startswith("Live - ")


def test_without_a_server_the_badge_says_so_and_the_page_recovers_alone(page, fleet):
    fleet.hosts[0].nginx.stop()
    page.refresh()
    assert re.fullmatch(r"Offline - last contact \d\d:\d\d:\d\d", page.text("#badge"))
    page.shot("offline", full=False)
    assert page.findings() == []
    fleet.start_nginx(fleet.hosts[0])
    page.wait("document.querySelector('#badge').textContent.startsWith('Live')", 65)


def test_another_program_at_that_address_does_not_replace_the_page(page, fleet):
    """nginx' own page, for when no worker runs, has no data."""
    page.refresh()  # its ETag is known
    workers = fleet.hosts[0].workers[0]
    workers.stop()
    page.polled("history.replaceState(null, '', '?sort=name'); document.querySelector('.refresh a').click();")
    assert page.text("#badge").startswith("Offline")
    assert page.all("#alerts-table tbody tr")
    fleet.start_workers(fleet.hosts[0])
    page.wait("document.querySelector('#badge').textContent.startsWith('Live')", 65)


OFF = "const p = document.querySelector('#every'); p.value = '0'; p.dispatchEvent(new Event('change'))"


def test_the_browser_reports_that_it_is_offline(page):
    """No request needs to fail first."""
    page.run(OFF)
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **conditions})
    page.wait("document.querySelector('#badge').textContent.startsWith('Offline')")
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **conditions})
    page.wait("document.querySelector('#badge').textContent.startsWith('Live')", 65)
    page.driver.execute_cdp_cmd("Network.disable", {})


def test_one_request_at_a_time_with_a_time_limit(page, fleet):
    page.run(OFF)
    page.refresh()  # no request is under way, and none starts by itself
    nginx = fleet.hosts[0].nginx
    pids = [nginx.pid, *nginx.children()]
    for pid in pids:
        fleet.pause(pid)
    try:
        page.run(COUNT)
        page.polled("document.querySelector('.refresh a').click();" * 3)  # the time limit of 0.8 intervals ends it
        assert page.run("return asked") == 1
        assert page.text("#badge").startswith("Offline")
    finally:
        for pid in pids:
            fleet.resume(pid)
    page.refresh()
    page.wait("document.querySelector('#badge').textContent.startsWith('Live')", 65)


def test_age_ticks_between_requests(page):
    page.run(OFF)
    page.refresh()  # no request is under way, and none starts by itself
    count = "return performance.getEntriesByType('resource').length"
    page.wait(f"document.querySelector('#badge').textContent !== {page.text('#badge')!r}")  # what was under way is counted
    before, asked = page.text("#badge"), page.run(count)
    page.wait(f"document.querySelector('#badge').textContent !== {before!r}")
    assert page.run(count) == asked


def test_age_needs_no_network(page, fleet):
    fleet.hosts[0].nginx.stop()
    page.refresh()
    later = "const real = Date.now; Date.now = () => real.call(Date) + %d * 60000;"
    title, icon = page.driver.title, page.one("link[rel=icon]").get_attribute("href")
    page.run(later % 1)
    page.wait("document.querySelector('#state').dataset.state === 'stale'")
    assert page.driver.title == f"Stale: {title}" and "favicon-unknown" in page.one("link[rel=icon]").get_attribute("href")
    assert re.fullmatch(r"Fleet Imminent Failure, stale", page.text("header .environment"))
    page.run(later % 10)
    page.wait("document.querySelector('#state').dataset.state === 'very-stale'")
    assert page.driver.title == "Unknown - Overview - TFT"
    assert page.text("header .environment") == "Fleet Unknown"
    assert page.all("header .chip.sev-unknown")
    assert re.match(r"Data is older than 10 min \(\d\d:\d\d:\d\d UTC\). Do not act", page.text("#notes .band"))
    page.run(later % 60)
    page.wait("document.querySelector('#state').dataset.state === 'no-data'")
    assert "No data since" in page.text("#notes .band")
    assert not page.one("#view").is_displayed(), "older than max_stale is not shown"
    fleet.start_nginx(fleet.hosts[0])
    page.refresh()
    page.open(fleet.url("/"))
    assert (page.driver.title, page.one("link[rel=icon]").get_attribute("href")) == (title, icon)


@pytest.mark.parametrize("width", [1280, 360])
def test_what_must_be_known_is_seen_wherever_the_page_stands(page, fleet, width):
    page.size(width, 800)
    seen = "const r = document.querySelector('#badge').getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight"
    page.run("scrollTo(0, 900)")
    assert page.run(seen) == (width == 1280), "on a small screen what is live may scroll away"
    fleet.hosts[0].nginx.stop()
    page.refresh()
    assert page.run("return scrollY") >= 800 and page.run(seen)
    assert page.text("#badge").startswith("Offline")
    page.shot(f"offline-scrolled-{width}", full=False)
    page.run("const real = Date.now; Date.now = () => real.call(Date) + 11 * 60000;")
    page.wait("document.querySelector('#state').dataset.state === 'very-stale'")
    assert page.run(seen)
    page.shot(f"very-stale-scrolled-{width}", full=False)
    assert page.page_width() <= width
    fleet.start_nginx(fleet.hosts[0])


def test_spoken_is_what_became_worse_and_nothing_else(page):
    said = "document.querySelector('#said').textContent"
    assert page.one("#state").get_attribute("aria-live") == "off", "the ticking age is not read out"
    assert page.polled(changed=True)
    assert "server" not in page.run(f"return {said}"), "levels and number are the same"
    page.run(
        "for (const chip of document.querySelectorAll('#alerts .sev-imminent'))"
        "  chip.classList.replace('sev-imminent', 'sev-danger')"
    )
    page.wait(f"{said}.includes('Imminent')", 45)  # at once, unless something was announced in the last 5 s
    assert re.fullmatch(r"ppdb011 is Imminent Failure(, pp\w+ is Imminent Failure){3}", page.run(f"return {said}"))


def test_title_and_icon_change_with_the_state_and_only_then(page, fleet):
    page.run(
        "window.seen = 0; new MutationObserver(() => window.seen++).observe(document.head, {subtree: true,"
        " childList: true, characterData: true, attributes: true})"
    )
    icon = page.one("link[rel=icon]").get_attribute("href")
    assert page.polled(changed=True)
    assert page.run("return window.seen") == 0
    calm = json.loads(payload_bytes(CALM))
    only = {"ppgen001": calm["predictions"]["ppgen001"]}  # others of that fleet are at risk
    fleet.upstream.predictions.body = json.dumps({**calm, "predictions": only, "alerts": []}).encode()
    page.wait("!document.title.startsWith('(20)')")
    assert page.one("link[rel=icon]").get_attribute("href") != icon


def test_a_new_version_brings_its_own_script(page):
    page.run("window.old = true; document.querySelector('link[rel=stylesheet]').setAttribute('href', 'static/x.css')")
    page.wait("!window.old")
    assert page.all("#pause")
    page.complaints()  # the style sheet does not exist


def test_the_choice_of_an_interval_is_rounded_up_and_kept(page, fleet):
    page.run("const p = document.querySelector('#every'); p.value = '60'; p.dispatchEvent(new Event('change'))")
    assert "data changes every 5 s" in page.text(".refresh")
    page.open(fleet.url("/heatmap"))
    assert page.run("return document.querySelector('#every').value") == "60"
    page.open(fleet.url("/?refresh=7"))
    assert "10 s; data changes every 5 s" in page.text(".refresh")


def test_a_wrong_clock_is_told_and_changes_no_age(page, fleet):
    script = "const real = Date.now; Date.now = () => real.call(Date) + 37000;"
    added = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    page.open(fleet.url("/"))
    page.wait("document.querySelector('#notes .note').textContent")
    assert re.fullmatch(r"Your clock is 3[678] s ahead of the server\.", page.text("#notes .note"))
    assert re.fullmatch(r"(Live|Updating) - \d s", page.text("#badge"))
    page.shot("skew", full=False)
    page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


