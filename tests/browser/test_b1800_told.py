# SPDX-License-Identifier: MIT
"""Notifications and sounds for viewers who want them: what is told, how often, and why nothing is (doc/pages.md#notifications)."""
import json

import pytest
from browser import Browser
from stack import Stack, to_bucket
from upstream import Upstream, payload_bytes

INTERVAL = 60
CALM = json.loads(payload_bytes("predictions_current-healthy-20"))
CRITICAL = json.loads(payload_bytes("predictions_current-critical-20"))
CALM["predictions"]["ppetl002"] = CALM["predictions"]["ppml0001"]  # the only one of it at risk
# Chromium has a real one only for pages with a window manager; this one tells the test. The permission outlives a page.
STUB = """
    window.told = [];
    window.beeps = 0;
    if (sessionStorage.insecure)
        Object.defineProperty(window, "isSecureContext", {value: false});
    window.Notification = class {
        constructor(title, options) {
            Object.assign(this, options, {title, close: () => {}});
            told.push(this);
        }
        static get permission() {
            return sessionStorage.permission || "default";
        }
        static async requestPermission() {
            return sessionStorage.permission = sessionStorage.answer || "granted";
        }
    };
    const node = {connect: to => to, start: () => beeps++, stop: () => {}, frequency: {},
        gain: {setValueAtTime: () => {}, exponentialRampToValueAtTime: () => {}}};
    window.AudioContext = class {
        resume() {}
        createOscillator() { return node; }
        createGain() { return node; }
    };
"""


SILENCE = """
    const silenced = arguments[0], ask = window.fetch;
    window.fetch = async (...args) => {
        const answer = await ask(...args);
        const {json} = answer;
        answer.json = async () => {
            const fleet = await json.call(answer);
            for (const alert of fleet.alerts || [])
                alert.silenced_until = alert.server === silenced ? "2100-01-01T00:00:00.000Z" : null;
            return fleet;
        };
        return answer;
    };
"""


def fleet(*risky):
    """All healthy but these."""
    servers = {name: CRITICAL["predictions"][name] if name in risky else server for name, server in CALM["predictions"].items()}
    return json.dumps({**CALM, "predictions": servers}).encode()


@pytest.fixture(scope="module")
def stack():
    with Upstream() as upstream:
        upstream.predictions.body = fleet()
        with Stack(upstream=upstream, workers=2, interval=INTERVAL, ahead=to_bucket(INTERVAL)) as running:
            running.wait_fleet()
            yield running


@pytest.fixture(scope="module")
def risky(stack):
    """Names of servers at Danger or worse in the critical fleet, the worst first, and the level of each."""
    stack.upstream.predictions.body = json.dumps(CRITICAL).encode()
    stack.next_snapshot()
    found = {server["name"]: server["level"] for server in stack.get("/api/v1/fleet").json()["servers"] if server["risk"] >= 70}
    assert len(found) >= 2
    return found


@pytest.fixture(scope="module")
def viewer():
    with Browser() as running:
        running.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STUB})
        yield running


@pytest.fixture
def page(viewer, stack):
    """The overview of a calm fleet, with nothing in storage."""
    become(stack, fleet())
    viewer.open(stack.url("/healthz"))
    viewer.run("localStorage.clear(); sessionStorage.clear()")
    viewer.open(stack.url("/"))
    viewer.wait("document.documentElement.dataset.runs === ''")
    viewer.complaints()
    return viewer


def become(stack, body):
    stack.upstream.predictions.body = body
    stack.next_snapshot()


def choose(page, value):
    """As a viewer does, with the keys."""
    page.keys("?")
    page.wait("document.querySelector('#help')?.open")
    page.set("#notify", value)


def settled(stack, page):
    """Refreshes, and waits until the page has compared the newest snapshot."""
    at = stack.committed() * INTERVAL * 1000

    def compared():
        page.refresh()
        return page.run("return JSON.parse(localStorage['tft-told /'] || '{}').at") == at

    stack.wait(compared, what="the page has compared the newest snapshot")


def titles(page):
    return page.run("return told.map(one => one.title)")


def start(stack, page, value="on"):
    choose(page, value)
    page.wait("localStorage['tft-told /']")
    page.run("document.querySelector('#help').close()")
    settled(stack, page)


def test_nothing_is_loaded_or_told_unless_the_viewer_wants_it(page, stack, risky):
    become(stack, fleet(*risky))
    page.refresh()
    assert page.run("return performance.getEntriesByType('resource').filter(e => /told/.test(e.name)).length") == 0
    assert titles(page) == []
    page.help()
    assert page.run("return document.querySelector('#notify').value") == "off"
    assert page.run("return Notification.permission") == "default", "nobody was asked"


def test_a_server_that_reaches_danger_is_told_once_and_a_click_leads_to_it(page, stack, risky):
    name = next(iter(risky))
    start(stack, page)
    assert titles(page) == [], "what there is at first is no news"
    become(stack, fleet(name))
    settled(stack, page)
    assert titles(page) == [f"{name} at {risky[name]}"]
    assert page.run("return [told[0].body.slice(0, 5), beeps]") == ["Risk ", 0]
    become(stack, fleet(name))
    settled(stack, page)
    assert len(titles(page)) == 1, "it is still there, which is no news"
    assert page.complaints() == []
    page.run("told[0].onclick()")
    page.wait(f"location.pathname === '/server/{name}'")


def test_it_is_remembered_and_told_on_every_page_by_one_tab(page, stack, risky):
    first, second = list(risky)[:2]
    start(stack, page)
    here = page.driver.current_window_handle
    page.open(stack.url("/cost"))
    page.driver.switch_to.new_window("tab")
    page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STUB + "sessionStorage.permission = 'granted';"})
    page.open(stack.url("/heatmap"))
    become(stack, fleet(first, second))
    settled(stack, page)
    there = titles(page)
    page.driver.close()
    page.driver.switch_to.window(here)
    settled(stack, page)
    assert [*there, *titles(page)] == ["2 servers at Danger or worse"]


def test_a_worst_level_that_rises_is_told_with_a_sound(page, stack, risky):
    name = next(name for name, level in risky.items() if level != "Danger")
    start(stack, page, "sound")
    # As if it had been at Danger before.
    page.run("localStorage['tft-told /'] = JSON.stringify({...JSON.parse(localStorage['tft-told /']), worst: 4, danger: [arguments[0]]})", name)
    become(stack, fleet(name))
    settled(stack, page)
    assert titles(page) == [f"{name} at {risky[name]}"]
    assert page.run("return beeps") == 1


def test_silenced_servers_are_not_told(page, stack, risky):
    first, second = list(risky)[:2]
    start(stack, page, "sound")
    page.run(SILENCE, first)
    become(stack, fleet(first))
    settled(stack, page)
    assert (titles(page), page.run("return beeps")) == ([], 0)
    become(stack, fleet(first, second))
    settled(stack, page)
    assert titles(page) == [f"{second} at {risky[second]}"]


def test_after_a_long_absence_nothing_is_news(page, stack, risky):
    start(stack, page)
    page.open(stack.url("/healthz"))  # the dashboard is closed meanwhile
    page.run("localStorage['tft-told /'] = JSON.stringify({at: 1, worst: -1, danger: []})")
    become(stack, fleet(*risky))
    page.open(stack.url("/"))
    settled(stack, page)
    assert titles(page) == []


@pytest.mark.parametrize(
    "storage, told",
    [
        ("sessionStorage.answer = 'denied'", "The browser forbids notifications of this site"),
        ("sessionStorage.answer = 'default'", "The browser has not been allowed to notify"),
        ("sessionStorage.insecure = 'yes'", "this one came by http"),
    ],
)
def test_it_says_why_there_are_no_notifications(page, stack, risky, storage, told):
    page.run(storage)
    page.open(stack.url("/"))
    page.wait("document.documentElement.dataset.runs === ''")
    choose(page, "sound")
    page.wait(f"document.querySelector('#why').textContent.includes({told!r})")
    assert page.one("#why").is_displayed()
    assert page.findings() == []
    page.shot("told", full=False)
    page.run("document.querySelector('#help').close()")
    settled(stack, page)
    become(stack, fleet(*risky))
    settled(stack, page)
    assert (titles(page), page.run("return beeps")) == ([], 1), "but there is a sound"
    choose(page, "off")
    page.wait("document.querySelector('#why').textContent === ''")
