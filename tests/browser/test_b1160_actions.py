# SPDX-License-Identifier: MIT
"""The forms of the advanced page as a browser sends them: its headers decide whether they are accepted."""
import pytest
from browser import Browser
from stack import Stack, long_interval


@pytest.fixture(scope="module")
def demo():
    with Stack(interval=long_interval(), env={"TFT_ANONYMOUS": "operator"}) as running:
        running.wait_fleet()
        yield running


def arrives(stack, page, notice):
    stack.wait(lambda: page.driver.current_url.endswith(f"/advanced?notice={notice}"), 5, f"the notice {notice}")


@pytest.mark.parametrize("script", [True, False])
def test_an_operator_changes_the_scenario_and_refreshes(demo, script):
    demo.upstream.scenario = "healthy"
    demo.redis.delete("tft:gate:flush")
    with Browser(script=script) as page:
        page.open(demo.url("/advanced"))
        page.one("button[value=degrading]").click()
        assert "notice" not in page.driver.current_url  # not confirmed: the browser does not send it
        assert demo.upstream.scenario == "healthy"
        page.one("#confirm").click()
        page.one("button[value=degrading]").click()
        arrives(demo, page, "degrading")
        assert "degrading" in page.text("#notice")
        assert demo.upstream.scenario == "degrading"
        page.shot(f"advanced-{'script' if script else 'plain'}")
        page.one("form[action=refresh] button").click()
        arrives(demo, page, "refreshed")
        assert page.complaints() == []


def test_a_form_of_another_site_is_refused(demo):
    demo.upstream.scenario = "healthy"
    sent = demo.upstream.scenario_set.count
    form = f"<form method=post action={demo.url('/scenario')}><button name=scenario value=critical>Win</button></form>"
    with Browser() as page:
        page.open("data:text/html," + form)
        page.one("button").click()
        demo.wait(lambda: "Forbidden" in page.run("return document.body.innerText"), 5, "the refusal")
    assert demo.upstream.scenario_set.count == sent
    assert demo.upstream.scenario == "healthy"
