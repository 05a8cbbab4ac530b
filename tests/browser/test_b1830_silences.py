# SPDX-License-Identifier: MIT
"""The form that silences, as a browser sends it, with and without script."""
import json

import pytest
from alertmanager import Server, answer
from browser import Browser
from selenium.webdriver.common.by import By
from stack import Stack, long_interval
from upstream import Upstream


class Taker:
    """An Alertmanager that takes every silence."""

    def __init__(self):
        self.silences = []
        self.server = Server(self.take)

    def take(self, handler, body):
        is_silence = handler.command == "POST" and handler.path == "/api/v2/silences"
        if is_silence:
            self.silences.append(json.loads(body))
        answer(handler, 200, b'{"silenceID":"3b1f0c1e"}' if is_silence else b"[]", "application/json")


@pytest.fixture(scope="module")
def taker():
    running = Taker()
    yield running
    running.server.close()


@pytest.fixture(scope="module")
def stack(taker):
    env = {"TFT_ANONYMOUS": "operator", "TFT_ALERTMANAGER": taker.server.url, "TFT_FLEET": "north"}
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        with Stack(interval=long_interval(), env=env, upstream=upstream) as running:
            running.wait_fleet()
            yield running


def send(page, comment):
    form = page.one("details.silence")
    form.find_element(By.CSS_SELECTOR, "summary").click()
    form.find_element(By.NAME, "comment").send_keys(comment)
    form.find_element(By.CSS_SELECTOR, "option[value='8']").click()
    form.find_element(By.CSS_SELECTOR, "button").click()


@pytest.mark.parametrize("script", [True, False])
def test_an_operator_silences_a_server_and_a_filter(stack, taker, script):
    taker.silences.clear()
    with Browser(script=script) as page:
        for path, matcher in (("/server/ppdb001", ("server", "ppdb001", False)), ("/?q=a.b%22", ("server", '(?s).*[aA]\\.[bB]".*', True))):
            page.open(stack.url(path))
            send(page, 'disk "swap"')
            stack.wait(lambda: page.driver.current_url.endswith("/advanced?notice=silenced"), what="the notice")
            assert "has taken the silence" in page.text("#notice")
            one = taker.silences[-1]
            assert matcher in [(m["name"], m["value"], m["isRegex"]) for m in one["matchers"]] and one["comment"] == 'disk "swap"'
        assert page.complaints() == []


@pytest.mark.parametrize("width", [1440, 360])
def test_the_form_fits_and_is_accessible(stack, width):
    with Browser(width=width) as page:
        for path in ("/?profile=db", "/server/ppdb001"):
            page.open(stack.url(path))
            page.run("document.querySelector('details.silence').open = true")
            assert page.findings() == []
            assert page.page_width() <= width
            page.shot(f"silence-{width}-{'server' if 'server' in path else 'filter'}")
        assert page.complaints() == []
