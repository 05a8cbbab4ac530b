# SPDX-License-Identifier: MIT
"""Answers of other programs, and scripts that do not run: no viewer is left on a gateway's page, and no screen looks live
when it is not."""
import contextlib

import pytest
from browser import Browser
from gateway import Gateway
from stack import Stack
from upstream import Upstream

KIOSK = "/?view=kiosk&tabs=overview,heatmap&every=10"
# A wall screen changes pages, and retries, every second: time enough for a gateway to appear between two pages.
QUICK = "const real = setTimeout; window.setTimeout = (f, ms, ...all) => real(f, ms === 10000 || ms === 5000 ? 1000 : ms, ...all);"
BROKEN = b"const = 1;"


@pytest.fixture(scope="module")
def fleet():
    with Upstream(predictions="predictions_current-critical-20") as upstream:
        with Stack(workers=2, interval=5, upstream=upstream) as stack:
            stack.wait_fleet()
            yield stack


@pytest.fixture
def gateway(fleet):
    with Gateway(fleet) as running:
        yield running


@contextlib.contextmanager
def everywhere(page, script):
    """Runs in every document from now on, before its own scripts."""
    added = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        yield
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.mark.parametrize("status", [404, 502, 200])
def test_a_gateways_answer_leaves_the_page_where_it_is(window, gateway, status):
    window.open(gateway.url("/server/ppdb001"))
    window.run("window.same = true")
    gateway.status = status
    window.wait("document.querySelector('#badge').textContent.startsWith('Offline')", 20)
    assert window.run("return window.same") and window.all("#course")
    gateway.status = None
    window.wait("document.querySelector('#badge').textContent.startsWith('Live')", 65)
    assert window.run("return window.same")
    window.complaints()  # the gateway's status


@pytest.mark.parametrize("status", [502, 200])
def test_a_wall_screen_goes_on_when_a_page_of_ours_answers(window, fleet, gateway, status):
    with everywhere(window, QUICK):
        window.open(gateway.url("/healthz"))
        window.open(gateway.url(KIOSK))
        window.wait("location.pathname === '/heatmap' && document.readyState === 'complete'")
        gateway.status, gateway.refused = status, 0
        fleet.wait(lambda: gateway.refused >= 2, 20, "tries")
        path = window.run("return location.pathname")
        fleet.wait(lambda: gateway.refused >= 4, 20, "more tries")
        assert window.run("return location.pathname") == path and window.all("#state")
        gateway.status = None
        window.wait(f"location.pathname !== {path!r}", 20)
        assert window.all("body.kiosk #state")
    window.complaints()


def test_a_wall_screen_goes_on_without_the_script_that_it_cannot_read(window, fleet, gateway):
    """As in a browser that is too old for it. The page says "As of", changes pages, and does not go to a gateway's page
    either."""
    gateway.replaced = {"app.": BROKEN}
    with everywhere(window, QUICK):
        window.open(gateway.url(KIOSK))
        assert window.text("#badge").startswith("As of ")
        assert not window.all("html.script, #pause, #every"), "no room is kept for what does not come"
        window.wait("location.pathname === '/heatmap' && document.readyState === 'complete'")
        assert window.text("#badge").startswith("As of ")
        gateway.status, gateway.refused = 502, 0
        fleet.wait(lambda: gateway.refused >= 1, 20, "a try")
        path = window.run("return location.pathname")
        fleet.wait(lambda: gateway.refused >= 3, 30, "more tries")
        assert window.run("return location.pathname") == path and window.all("#state")
        gateway.status = None
        window.wait(f"location.pathname !== {path!r}", 20)
    assert any("SyntaxError" in line for line in window.complaints())


@pytest.mark.parametrize("broken", [{"app.": BROKEN}, {"app.": BROKEN, "start.": BROKEN}])
def test_a_page_that_reloads_itself_does_so_without_scripts_that_run(window, fleet, gateway, broken):
    gateway.replaced = broken
    window.open(gateway.url("/?view=kiosk&refresh=5"))
    window.run("window.old = true")
    window.wait("!window.old", 20)
    window.complaints()


def test_a_script_that_runs_takes_the_reload_out(window, gateway):
    window.open(gateway.url("/?view=kiosk&refresh=5"))
    window.run("window.same = true")
    assert window.polled(changed=True)
    window.wait("performance.now() > 7000")
    assert window.run("return window.same")
    assert not window.all("meta[http-equiv=refresh]")
    assert window.complaints() == []


def test_without_scripts_the_browser_does_it(fleet):
    with Browser(script=False) as plain:
        plain.open(fleet.url("/?view=kiosk"))
        before = fleet.access_log().count('uri="/?view=kiosk"')
        fleet.wait(lambda: fleet.access_log().count('uri="/?view=kiosk"') > before, 20, "the next one")
