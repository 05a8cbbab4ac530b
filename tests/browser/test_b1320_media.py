# SPDX-License-Identifier: MIT
"""Small screens, very long names, a thousand servers, paper, forced colours (doc/pages.md#views)."""
import json
from urllib.parse import quote

import pytest
from stack import Stack, long_interval
from upstream import Upstream, payload_bytes

PAGES = ["/", "/heatmap", "/top", "/history", "/incidents", "/changes", "/accuracy", "/cost", "/remediation", "/alerting", "/advanced", "/docs", "/roadmap"]
NAMES = [
    "ppdb" + "W" * 180,
    "ppml-" + "<script>alert(1)</script>" * 4,
    "\u062f\u0641\u062a\u0631" * 20,
    "pp web with blanks and more blanks " * 4,
    "ppcon-" + "-" * 120,
]


def renamed(name, count, name_of):
    """The recorded body with this many servers, renamed."""
    body = json.loads(payload_bytes(name))
    values = list(body["predictions"].values())
    body["predictions"] = {name_of(i): values[i % len(values)] for i in range(count)}
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def hostile():
    with Upstream() as upstream:
        upstream.predictions.body = renamed("predictions_current-critical-20", 20, lambda i: NAMES[i % 5] + str(i))
        with Stack(workers=2, interval=long_interval(), upstream=upstream) as stack:
            stack.wait_fleet()
            yield stack


@pytest.mark.parametrize("width", [320, 360])
def test_no_name_makes_a_page_scroll_sideways(window, hostile, width):
    names = [s["name"] for s in hostile.get("/api/v1/fleet").json()["servers"]]
    paths = PAGES + ["/server/" + quote(name, safe="") for name in sorted(names)[:10:3]]
    window.size(width, 800)
    widths = {}
    for path in paths:
        window.open(hostile.url(path))
        assert window.all("#state"), path
        window.run("for (const d of document.querySelectorAll('details')) d.open = true")
        widths[path] = window.page_width()
    assert widths == {path: width for path in paths}
    window.size(1280, 900)


@pytest.mark.parametrize("path", ["/", "/cost", "/remediation", "/alerting", "/advanced"])
def test_wide_tables_are_stacked_on_a_phone(window, stack, path):
    """All of it is on the screen, and every number has its name."""
    window.size(320, 800)
    window.open(stack.url(path))
    hidden = "return [...document.querySelectorAll('main .scroll')].filter(b => b.scrollWidth > b.clientWidth + 1).map(b => b.innerText)"
    assert window.run(hidden) == []
    labels = window.run(
        "return [...document.querySelectorAll('main tbody td')].map(td => ['::before', '::after']"
        ".map(p => getComputedStyle(td, p).content).filter(c => c !== 'none' && c !== 'normal').join())"
    )
    assert any("CPU" in label or "Action" in label or "Counts as" in label or "Call ms" in label for label in labels)
    window.shot(f"stacked-{path.strip('/') or 'overview'}")
    window.size(1280, 900)


def test_a_thousand_servers_are_a_page_and_a_picture(window):
    with Upstream() as upstream:
        body = renamed("predictions_current-critical-500", 1000, lambda i: f"pp{('db', 'ml', 'web', 'etl')[i % 4]}{i:04d}")
        upstream.predictions.body = body
        with Stack(workers=2, interval=long_interval(), upstream=upstream) as stack:
            stack.wait_fleet(60)
            for path in ("/", "/heatmap"):
                for width in (1280, 320):
                    window.size(width, 900)
                    window.open(stack.url(path))
                    assert window.page_width() <= width
                    window.shot(f"thousand-{width}-{path.strip('/') or 'overview'}")
                nodes = window.run("return document.querySelectorAll('*').length")
                print(f"{path} of 1000 servers: {nodes} nodes")
                assert nodes <= 3000  # doc/limits.md#budgets
            assert len(window.all(".tiles li:not(.group)")) == 1000
            assert window.complaints() == []
    window.size(1280, 900)


def test_on_paper(window, stack):
    """Dark screens print on white; folded content is printed, and controls are not."""
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    window.open(stack.url("/"))
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": features})
    colour = window.run("return getComputedStyle(document.querySelector('.panel h2')).color.match(/\\d+/g).map(Number)")
    assert sum(colour) < 200, "dark ink"
    assert not window.one("nav").is_displayed() and not window.one(".refresh").is_displayed()
    assert window.run("return document.querySelector('details > :last-child').checkVisibility()")
    assert window.text("#badge") and "Data of" in window.text("footer")
    window.shot("print")
    window.prefer("light")
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_with_forced_colours(window, stack):
    """Chips keep their fill, glyph and word; everything else takes the system's colours."""
    features = [{"name": "forced-colors", "value": "active"}, {"name": "prefers-color-scheme", "value": "dark"}]
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    window.open(stack.url("/"))
    fill = "return getComputedStyle(document.querySelector('#alerts-table .chip')).backgroundColor"
    assert window.run(fill) == "rgb(255, 208, 217)"
    assert window.run("return matchMedia('(forced-colors: active)').matches")
    window.shot("forced", full=False)
    window.open(stack.url("/heatmap"))
    window.shot("forced-heatmap", full=False)
    window.prefer("light")
