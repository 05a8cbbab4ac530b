# SPDX-License-Identifier: MIT
"""The pictures of README, of one fleet that was critical and has become calm. TFT_SCREENSHOTS=doc renews them."""
import json
import re

import pytest
from browser import ROOT
from stack import Stack
from test_b1800_told import CALM
from upstream import Upstream

INTERVAL = 5
DESK, PHONE = (1440, 900), (360, 780)


@pytest.fixture(scope="module")
def fleet():
    """Critical, with 8 hours of records that are all the same."""
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        upstream.scenario = "critical"
        with Stack(workers=2, interval=INTERVAL, upstream=upstream) as stack:
            stack.wait_fleet()
            fields = stack.redis.xrange("tfthist:forecasts", count=1)[0][1]
            now = stack.committed() * INTERVAL * 1000
            stack.redis.unlink("tfthist:forecasts")
            for minutes in range(480, 4, -5):
                stack.redis.xadd("tfthist:forecasts", fields, id=f"{now - minutes * 60_000}-0")
            stack.critical = now
            yield stack


def take(window, fleet, name, path, size):
    window.size(*size)
    window.prefer("light")
    window.open(fleet.url(path))
    assert window.page_width() <= size[0]
    assert window.complaints() == []
    window.shot(name, full=False)
    window.size(*DESK)


@pytest.mark.parametrize(
    "name, path, size",
    [("overview-critical", "/", DESK), ("server", "/server/ppdb011", (1440, 1100)), ("phone", "/", PHONE)],
)
def test_when_it_is_critical(window, fleet, name, path, size):
    take(window, fleet, name, path, size)
    assert "Imminent Failure" in window.text("main")


def test_when_it_is_calm_and_back_to_the_moment_when_it_was_not(window, fleet):
    fleet.upstream.scenario = "healthy"
    fleet.upstream.predictions.body = json.dumps(CALM).encode()
    fleet.wait(lambda: not fleet.get("/api/v1/alerts").json()["alerts"], what="a calm fleet")
    take(window, fleet, "overview-calm", "/", DESK)
    assert "Healthy" in window.text("#sentence")
    take(window, fleet, "past", f"/?at={fleet.critical}", DESK)
    assert window.one("#state").get_attribute("data-state") == "past"


def test_readme_shows_these():
    shown = re.findall(r"!\[[^\]]*\]\(doc/([\w-]+)\.png\)", (ROOT / "README.md").read_text())
    assert {"overview-calm", "overview-critical", "server", "past", "phone"} <= set(shown)
    assert all((ROOT / "doc" / f"{name}.png").exists() for name in shown)
