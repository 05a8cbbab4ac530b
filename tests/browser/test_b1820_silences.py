# SPDX-License-Identifier: MIT
"""What an Alertmanager knows, in a real browser: silenced servers are marked and do not lead, and the page Alerting is readable."""
import json

import pytest
from alertmanager import Alertmanager
from browser import Browser
from stack import Stack, to_bucket, wait_until
from upstream import Upstream, payload_bytes

FLEET = json.loads(payload_bytes("predictions_current-healthy-20"))
HOT = "ppetl002"
COMMENT = "disk swap, " + "as long as an author may write it " * 6


@pytest.fixture(scope="module")
def page():
    env = {"TFT_FLEET": "north"}
    with Upstream() as upstream, Alertmanager() as alertmanager, Browser() as browser:
        upstream.predictions.body = json.dumps(FLEET).encode()
        env["TFT_ALERTMANAGER"] = alertmanager.gate.url
        with Stack(workers=2, interval=60, upstream=upstream, ahead=to_bucket(60), env=env) as stack:
            stack.wait_fleet()
            alertmanager.silence([{"name": "server", "value": HOT}, {"name": "fleet", "value": "north"}], COMMENT)
            alertmanager.silence([{"name": "server", "value": "pp<b>.*", "isRegex": True}], "foreign")
            browser.stack, browser.gate = stack, alertmanager.gate
            until_silenced(browser)
            yield browser


def until_silenced(browser):
    for _ in range(6):
        seen = len(browser.gate.posts)
        browser.stack.next_snapshot()
        wait_until(lambda: len(browser.gate.posts) > seen, 30, "the alerts are posted")
        if 'class="silenced"' in browser.stack.get("/alerting").text:
            return
    raise AssertionError("no alert is shown as silenced")


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("path", ["/", f"/server/{HOT}", "/alerting"])
def test_what_is_silenced_says_so(page, path, width):
    page.size(width, 900)
    page.open(page.stack.url(path))
    marks = [mark.text for mark in page.all("main small.silenced") if mark.is_displayed()]
    assert marks and all("silenced until" in mark and "by ann: disk swap" in mark for mark in marks)
    assert page.page_width() <= width
    assert page.findings() == [] and page.complaints() == []
    page.shot(f"silenced{path.replace('/', '-')}-{width}")


def test_it_does_not_lead(page):
    page.open(page.stack.url("/"))
    assert "Imminent" not in page.run("return document.title") and "Imminent" in page.text(f"#srv-{HOT}")
    assert "1 is silenced." in page.text("#sentence")
