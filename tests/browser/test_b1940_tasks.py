# SPDX-License-Identifier: MIT
"""What an on-call person does at night, in clicks from the overview, without a script; and a fleet in which nothing is wrong."""
import json
import re

import pytest
from browser import Browser
from stack import Stack
from upstream import Upstream, payload_bytes

# The links that are clicked, and what is seen then.
TASKS = {
    "why a server is at risk": ([".cases .next a"], "document.querySelector('#why tfoot')"),
    "why, without leaving the table": (["#alerts-table td > a"], "document.querySelector('#alerts-table .details tfoot')"),
    "its last day": (["#alerts-table tbody th a"], "document.querySelector('#risk-history > svg')"),
    "two servers compared": (["#alerts-table tbody th a", "#compare ul a"], "document.querySelector('#compare h3')"),
    "databases at Watch or worse by memory": (
        [".matrix a[href='./?profile=db&sev=watch-up#alerts']", "#alerts-table a[href*='sort=-mem#']"],
        "document.querySelector('#alerts-table [aria-sort=descending]').textContent.startsWith('Mem Now')",
    ),
    "link to this moment": (["#moment"], "/^\\?at=20/.test(location.search) && document.querySelector('[data-state=past]')"),
    "how sure the forecasts are": (["#trust a"], "document.querySelector('#scores-table, #scores .empty')"),
    "what limits will be crossed, of one server": (["#crossings a[href^=server]"], "document.querySelector('#crossings')"),
}


@pytest.fixture(scope="module")
def plain():
    with Browser(1440, script=False) as window:
        yield window


@pytest.mark.parametrize("task", TASKS)
def test_a_task_takes_so_many_clicks(plain, stack, task):
    links, seen = TASKS[task]
    plain.open(stack.url("/"))
    for css in links:
        here = plain.driver.current_url
        plain.run("document.querySelector(arguments[0]).click()", css)
        stack.wait(lambda: plain.driver.current_url != here, 20, f"{css} leads on")
    plain.wait(seen, 20)


@pytest.fixture(scope="module")
def calm():
    """A recorded fleet without its servers at risk."""
    name = "predictions_current-healthy-20"
    with Upstream(predictions=name) as upstream, Stack(workers=1, interval=5, upstream=upstream) as stack:
        stack.wait_fleet()
        whole = json.loads(payload_bytes(name))
        alerts = {row["server"] for row in stack.get("/api/v1/alerts").json()["alerts"]}
        assert alerts
        rest = {server: values for server, values in whole["predictions"].items() if server not in alerts}
        upstream.predictions.body = json.dumps({**whole, "predictions": rest}).encode()
        stack.wait(lambda: stack.get("/api/v1/alerts").json()["alerts"] == [], 30, "a calm fleet")
        yield stack, len(rest)


@pytest.mark.parametrize("width", [1440, 360])
def test_a_calm_fleet_says_so_in_one_line_and_shows_the_busiest(window, calm, width):
    stack, servers = calm
    window.size(width, 900)
    window.prefer("light")
    window.open(stack.url("/"))
    text = window.text("main")
    assert text.count(f"All {servers} servers are healthy") == 1
    assert window.text("#alerts h2") == "No alerts. The busiest servers"
    assert len(window.all("#alerts .busiest tbody tr")) == 5
    assert not window.all(".cases") and not window.all("#alerts-table")
    for word in ("Assessment", "act now", "worsening", "Warm-up"):
        assert word not in text, word
    assert "0" not in [cell.text for cell in window.all(".matrix td") if not cell.find_elements("css selector", "[aria-current]")]
    assert window.page_width() <= width
    assert window.findings() == []
    window.shot(f"calm-{width}")
    assert window.complaints() == []


def test_one_verdict_leads_and_what_contradicts_it_is_explained(window, stack):
    """Worst level, environment, scenario and index: four sources, and no word about all of the fleet but the first."""
    window.size(1440, 900)
    window.open(stack.url("/"))
    text = re.sub(r"\s+", " ", window.text("main"))
    assert window.text("#sentence .chip") == "Imminent Failure"
    assert "Assessment" not in text and "act now" not in text
    assert "It looks at shares of the fleet, the word above at its worst servers." in text
    assert "The environment status is Caution: it follows from the risk of each server, the index does not." in text
    assert text.count("servers need attention") == 1
