# SPDX-License-Identifier: MIT
"""The heatmap from 20 to 1,000 servers, on a desk, on a phone and on a wall (doc/pages.md#heatmap)."""
import pytest
from stack import Stack, long_interval
from test_b1320_media import renamed
from upstream import Upstream

BRIGHT = (
    "const bright = css => { const c = getComputedStyle(document.querySelector(css)).backgroundColor.match(/[\\d.]+/g).map(Number);"
    "  return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]; };"
)


def body_of(count):
    def name(i):
        return f"pp{('db', 'ml', 'web', 'etl')[i % 4]}{i:04d}"

    return renamed("predictions_current-critical-500", count, name)


@pytest.fixture(scope="module", params=[20, 90, 250, 500, 1000])
def fleet(request):
    with Upstream() as upstream:
        upstream.predictions.body = body_of(request.param)
        with Stack(workers=1, interval=long_interval(), upstream=upstream) as running:
            running.wait_fleet(60)
            running.count = request.param
            yield running


def test_tiles_fill_the_window_and_their_text_fits(window, fleet):
    for width, height in ((1440, 900), (1920, 1080)):
        window.size(width, height)
        window.open(fleet.url("/heatmap"))
        window.shot(f"heatmap-{fleet.count}-{width}", full=False)
        assert window.page_width() <= width
        box = window.run("const b = document.querySelector('.tiles').getBoundingClientRect(); return [b.top, b.bottom, b.width]")
        assert box[2] >= 0.9 * width
        assert box[0] < 0.35 * height and 0.75 * height < box[1] < 1.15 * height, box
        clipped = window.run(
            "return [...document.querySelectorAll('.tiles:not(.small) li:not(.group)')].filter(t => t.scrollHeight > t.clientHeight + 1"
            "  || t.querySelector('a').scrollWidth > t.querySelector('a').clientWidth + 1).length"
        )
        assert clipped == 0
        assert bool(window.all("li.group")) == (fleet.count > 50)
    assert len(window.all(".tiles li:not(.group)")) == fleet.count
    assert window.run("return document.querySelectorAll('*').length") <= 3000
    assert window.complaints() == []


def test_tiles_can_be_hit_on_a_phone(window, fleet):
    window.size(360, 780)
    window.open(fleet.url("/heatmap"))
    window.shot(f"heatmap-{fleet.count}-360", full=False)
    assert window.page_width() <= 360
    least = window.run(
        "return Math.min(...[...document.querySelectorAll('.tiles li:not(.group)')].flatMap(t => [t.offsetWidth, t.offsetHeight]))"
    )
    assert least >= 24
    window.size(1440, 900)


def test_a_wall_shows_alerts_and_levels_that_are_read_from_afar(window, fleet):
    window.size(1920, 1080)
    window.open(fleet.url("/?view=kiosk"))
    window.shot(f"kiosk-{fleet.count}", full=False)
    assert window.page_width() <= 1920
    seen = window.run(
        "return [...document.querySelectorAll('[id^=case-], #alerts-table tr[id^=srv-], .busiest tr[id^=srv-]')]"
        "  .filter(r => r.getBoundingClientRect().bottom <= innerHeight).length"
    )
    alerts = len(fleet.get("/api/v1/alerts").json()["alerts"])
    assert seen >= min(alerts, 5), "the worst without scrolling"
    sizes = window.run("return [...document.querySelectorAll('[id^=case-] .chip, tr[id^=srv-] .chip')].map(c => parseFloat(getComputedStyle(c).fontSize))")
    assert sizes and min(sizes) >= 0.025 * 1080 - 0.1
    assert window.complaints() == []
    window.size(1440, 900)


def test_details_are_shown_on_focus_and_on_hover(window, fleet):
    window.size(1440, 900)
    window.open(fleet.url("/heatmap"))
    tip = "getComputedStyle(document.querySelector('.tiles li:not(.group)'), '::after').content"
    assert window.run(f"return {tip}") == "none"
    window.run("document.querySelector('.tiles li:not(.group) a').focus()")
    name = window.run("return document.activeElement.closest('li').id.slice(4)")
    words = window.run(f"return {tip}")
    assert name in words and any(level in words for level in ("Healthy", "Watch", "Degrading", "Warning", "Danger", "Critical", "Imminent"))


def test_in_the_dark_what_is_healthy_is_dark_and_the_worst_is_bright(window, fleet):
    window.size(1440, 900)
    window.prefer("dark")
    window.open(fleet.url("/heatmap"))
    levels = [level for level in ("healthy", "watch", "degrading", "warning", "danger", "critical", "imminent") if window.all(f".legend .sev-{level}")]
    bright = [window.run(BRIGHT + "return bright(arguments[0])", f".legend .sev-{level}") for level in levels]
    window.shot(f"heatmap-{fleet.count}-dark", full=False)
    window.prefer("light")
    assert len(levels) == 7 and bright == sorted(bright)
