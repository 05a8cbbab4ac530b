# SPDX-License-Identifier: MIT
"""All ways of access: keyboard, wall screen, another path, no script (doc/pages.md#views)."""
import pytest
from browser import Browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from stack import Service, Stack, free_port
from upstream import Upstream

PAGES = ["/", "/heatmap", "/top", "/history", "/incidents", "/changes", "/accuracy", "/cost", "/remediation", "/alerting", "/advanced", "/docs", "/roadmap"]


@pytest.fixture
def page(window, stack):
    window.size(1280, 900)
    window.open(stack.url("/healthz"))
    window.run("localStorage.clear()")
    window.open(stack.url("/"))
    window.complaints()
    return window


def path_of(page):
    return page.run("return location.pathname + location.search")


def test_keys_lead_everywhere(page):
    page.keys(Keys.TAB)
    assert page.run("return document.activeElement.className") == "skip"
    assert page.run("return document.activeElement.getBoundingClientRect().left") >= 0, "seen while it has the focus"
    page.keys("gh")
    page.wait("location.pathname === '/heatmap'")
    page.keys("gt")
    page.wait("location.pathname === '/top'")
    page.keys("go")
    page.wait("location.pathname === '/'")
    page.keys("/")
    assert page.run("return document.activeElement.id") == "find"
    page.keys("ppdb", Keys.ENTER)
    page.wait("location.search === '?q=ppdb'")
    assert page.complaints() == []


def test_keys_are_letters_in_a_field(page):
    page.keys("/")
    page.keys("prk?")
    assert page.run("return document.activeElement.value") == "prk?"
    assert page.text("#pause") == "Pause" and not page.all("#help")


def test_help_opens_and_closes(page):
    page.keys("?")
    page.wait("document.querySelector('#help')?.open")
    assert "pause, resume" in page.text("#help") and "undefined" not in page.text("#help")
    page.keys("p")
    assert page.text("#pause") == "Pause", "behind the help nothing listens"
    assert page.findings() == []
    page.shot("help", full=False)
    page.end_help()


def test_every_control_is_reached_by_tab_and_shows_its_focus(page):
    seen = []
    for _ in range(25):
        page.keys(Keys.TAB)
        seen.append(
            page.run(
                "const e = document.activeElement;"
                "return [e.id || e.textContent.trim(), getComputedStyle(e).outlineStyle !== 'none']"
            )
        )
    names = [name for name, _ in seen]
    for control in ("Refresh", "every", "pause", "Help", "Overview", "Roadmap", "find"):
        assert control in names
    assert [name for name, visible in seen if not visible] == []


@pytest.mark.parametrize("width", [320, 719, 1280])
def test_notifications_can_be_chosen_on_every_screen(page, width):
    page.size(width, 780)
    button = page.all("header button")[-1]
    box = page.run("const b = arguments[0].getBoundingClientRect(); return [b.left, b.right, b.bottom]", button)
    assert box[0] >= 0 and box[1] <= width and box[2] <= 780
    button.click()
    page.wait("document.querySelector('#help')?.open")
    assert page.one("#notify").is_displayed() and page.one("#theme").is_displayed()
    assert page.page_width() <= width
    assert page.findings() == []


def test_the_theme_is_kept_and_there_before_the_first_paint(page, stack):
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.run(f"return {ground}")
    page.help()
    page.set("#theme", "dark")
    dark = page.run(f"return {ground}")
    assert dark != light
    page.open(stack.url("/heatmap"))
    assert page.run(f"return {ground}") == dark
    page.prefer("dark")
    page.help()
    page.set("#theme", "light")
    assert page.run(f"return {ground}") == light
    page.prefer("light")


@pytest.mark.parametrize("path", PAGES + ["/server/ppdb011", "/?view=kiosk", "/heatmap?view=compact"])
def test_no_serious_barrier(page, stack, path):
    found = {}
    page.open(stack.url(path))
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        found[scheme] = page.findings()
    page.prefer("light")
    assert found == {"light": [], "dark": []}
    assert page.complaints() == []


def test_a_wall_screen_takes_turns(page, stack):
    """With and without the script, by real navigation."""
    address = stack.url("/?view=kiosk&tabs=overview,heatmap&every=10")
    with Browser(script=False) as plain:
        plain.open(address)
        page.open(address)
        assert not page.one("nav").is_displayed()
        assert page.one("#clock").is_displayed() and page.one("#badge").is_displayed()
        page.shot("kiosk", full=False)
        page.wait("location.pathname === '/heatmap' && location.search.includes('view=kiosk')", 20)
        stack.wait(lambda: "/heatmap?view=kiosk" in plain.driver.current_url, 10, "the next tab")
    page.keys("w")
    page.wait("location.search === ''")
    assert page.one("nav").is_displayed()


WALLS = ["overview", "heatmap", "top", "history", "cost", "remediation", "alerting", "docs", "roadmap"]


@pytest.mark.parametrize("width", [320, 360, 719, 720, 1280])
def test_a_wall_screen_does_not_scroll_sideways(page, stack, width):
    """Not even in the hours in which its content is furthest to the right."""
    page.size(width, 800)
    widths = {}
    for wall in WALLS:
        page.open(stack.url(f"/{wall.replace('overview', '')}?view=kiosk"))
        page.run("document.body.style.left = document.body.style.top = '2px'")
        widths[wall] = page.page_width()
        page.shot(f"kiosk-{width}-{wall}", full=False)
    assert widths == {wall: width for wall in WALLS}
    page.open(stack.url("/?view=kiosk"))
    broken = """return [...document.querySelectorAll('.card .value')].filter(value => {
        const range = document.createRange();
        range.selectNodeContents(value);
        return value.firstChild.nodeType === Node.TEXT_NODE && range.getClientRects().length > 1;
    }).map(value => value.innerText)"""
    assert page.run(broken) == []


def test_below_another_path(window):
    with Upstream(predictions="predictions_current-critical-20") as upstream:
        with Stack(workers=2, upstream=upstream) as stack:
            stack.wait_fleet()
            port = free_port()
            site = stack.dir / "site"
            site.mkdir()
            (site / "nginx.conf").write_text(
                f"daemon off; pid {site}/pid; error_log {site}/log; events {{}} http {{ access_log off;"
                f" proxy_temp_path {site}/t1; client_body_temp_path {site}/t2; fastcgi_temp_path {site}/t3;"
                f" uwsgi_temp_path {site}/t4; scgi_temp_path {site}/t5; server {{ listen 127.0.0.1:{port};"
                f" location /ops/tft/ {{ proxy_pass {stack.url('/')}; }} }} }}"
            )
            proxy = Service("site", ["nginx", "-e", site / "log", "-c", site / "nginx.conf"], site / "out")
            try:
                base = f"http://127.0.0.1:{port}/ops/tft/"
                stack.wait(lambda: (site / "pid").exists(), what="the site's nginx")
                window.open(base)
                window.complaints()
                for css in ("nav a[href=heatmap]", ".tiles a", "header .environment a", "nav a[href=cost]"):
                    window.all(css)[0].click()
                    assert window.driver.current_url.startswith(base)
                    window.refresh()
                    assert window.text("#badge").startswith("Live"), window.driver.current_url
                outside = window.run(
                    "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(arguments[0]))",
                    base,
                )
                assert outside == []
                assert window.complaints() == []
            finally:
                proxy.stop()


def test_without_script_nothing_is_missing_and_nothing_is_dead(stack):
    with Browser(script=False) as plain:
        plain.open(stack.url("/"))
        assert "As of" in plain.text("#badge")
        assert not plain.all("select, #pause, #offer, header button")
        plain.shot("no-script", full=False)
        plain.one("header .refresh a:first-child").click()
        assert len(plain.all("#alerts-table tbody tr")) == 20
        plain.one("nav a[href=top]").click()
        assert plain.all("main details")
        before = stack.access_log().count('uri="/?refresh=5"')
        plain.open(stack.url("/?refresh=5"))
        stack.wait(lambda: stack.access_log().count('uri="/?refresh=5"') >= before + 2, 10, "the page asked to reload")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_since_when_reads_as_well_as_its_level(window, stack, scheme):
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    window.open(stack.url("/"))
    colours = window.run(
        "return [...document.querySelectorAll('td.chip small')]"
        ".map(small => [small, small.parentNode].map(e => getComputedStyle(e).color))"
    )
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(colours) >= 2
    assert all(since == level for since, level in colours)
