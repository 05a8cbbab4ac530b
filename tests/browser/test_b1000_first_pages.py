# SPDX-License-Identifier: MIT
"""Overview and heatmap as viewers see them, in common sizes and colours."""
import pytest
from browser import Browser

LEVELS = ["Imminent Failure", "Critical", "Danger", "Warning", "Degrading", "Watch", "Healthy"]


@pytest.fixture(scope="module")
def browser():
    with Browser() as running:
        yield running


@pytest.fixture
def page(browser):
    browser.size(1280, 900)
    return browser


def test_overview_shows_the_critical_fleet(page, stack):
    page.open(stack.url("/"))
    assert page.driver.title == "(20) Imminent Failure - Overview - TFT"
    assert "70/90" in page.text("#fleet h2")
    assert "89.8% for 30 minutes" in page.text("#comparison")
    assert "Caution" in page.text("#environment")
    rows = page.all("#alerts-table tbody tr")
    assert len(rows) == 20
    assert "ppdb011" in rows[0].text and "100.0" in rows[0].text
    assert "16 worsening" in page.text("#alerts") and "Assessment" not in page.text("main")
    assert page.all("#state[data-state=live]")
    page.shot("overview")
    assert page.complaints() == []


def test_alerts_sort_and_filter_by_plain_links(page, stack):
    page.open(stack.url("/?sort=name"))
    names = [row.get_attribute("id") for row in page.all("#alerts-table tbody tr")]
    assert names == sorted(names) and len(names) == 20
    page.open(stack.url("/?profile=db"))
    databases = page.all("#alerts-table tbody tr")
    assert databases and all("Database" in row.text for row in databases)
    page.open(stack.url("/?profile=conductor&sev=imminent"))
    assert "No servers match" in page.text("main")
    assert page.complaints() == []


def test_heatmap_shows_every_server_and_changes_its_metric(page, stack):
    page.open(stack.url("/heatmap?sort=-value&group=none"))
    assert len(page.all("main ul li[id^=srv-]")) == 90
    assert "ppdb011" in page.all("main ul li[id^=srv-]")[0].text
    page.shot("heatmap")
    page.one("main a[href*='metric=cpu']").click()
    assert "metric=cpu" in page.driver.current_url
    assert "100.0" in page.all("main ul li[id^=srv-]")[0].text
    assert page.complaints() == []


@pytest.mark.parametrize("path", ["/", "/heatmap"])
@pytest.mark.parametrize("width", [320, 360])
def test_no_page_scrolls_sideways_on_a_phone(page, stack, path, width):
    page.size(width, 800)
    page.open(stack.url(path))
    assert page.page_width() <= width
    page.shot(f"phone-{width}-{path.strip('/') or 'overview'}")


def test_levels_are_told_by_word_and_not_by_colour_alone(page, stack):
    page.open(stack.url("/"))
    shown = page.text("#fleet")
    assert all(level in shown for level in LEVELS)
    assert all(any(level in row.text for level in LEVELS) for row in page.all("#alerts-table tbody tr"))


def test_dark_is_dark(stack):
    with Browser(dark=True) as dark:
        dark.open(stack.url("/"))
        colour = dark.run("return getComputedStyle(document.body).backgroundColor")
        assert sum(int(part) for part in colour.strip("rgba()").split(",")[:3]) < 150, colour
        dark.shot("overview-dark")
        dark.open(stack.url("/heatmap"))
        dark.shot("heatmap-dark")


def test_pages_are_complete_without_script(stack):
    with Browser(script=False) as plain:
        plain.open(stack.url("/"))
        assert len(plain.all("#alerts-table tbody tr")) == 20
        plain.one("nav a[href=heatmap]").click()
        assert len(plain.all("main ul li[id^=srv-]")) == 90
