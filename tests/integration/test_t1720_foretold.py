# SPDX-License-Identifier: MIT
"""How good the forecasts were, in /metrics, and what was forecast for now, on the page of a server."""
import html
import json
import re
import subprocess

import pytest
import scores
from stack import Stack
from test_t1700_accuracy import NOW, THEN, plant, present, quantiles
from upstream import Upstream

COPIES = 6  # of 20 servers: enough values for a verdict at once
METRICS = ("cpu", "memory", "iowait", "load")
HORIZONS = ("30m", "1h", "2h", "4h", "8h")
SERVER = "ppweb001"


def fleet(answer):
    copies = {f"{name}-{i}": server for name, server in answer["predictions"].items() for i in range(1, COPIES)}
    return json.dumps({**answer, "predictions": {**answer["predictions"], **copies}}).encode()


def series(text, name):
    return {tuple(labels): float(value) for *labels, value in re.findall(rf'^{name}{{metric="(\w+)",horizon="(\w+)"}} (\S+)$', text, re.M)}


@pytest.fixture(scope="module")
def stack():
    """Forecasts were made for now; since then other values have come."""
    with Upstream() as upstream:
        upstream.predictions.body = fleet(THEN)
        with Stack(upstream=upstream, interval=5, workers=1, l1=False) as running:
            running.wait_fleet()
            assert series(running.get("/metrics").text, "tft_forecast_skill") == {}, "nothing has come true yet"
            upstream.predictions.body = fleet(NOW)
            first = running.committed()
            running.wait(lambda: running.get("/") and running.committed() > first, timeout=60, what="the values have changed")
            plant(running, scores.HORIZONS)
            running.wait(lambda: running.get("/") and series(running.get("/metrics").text, "tft_forecast_skill"), timeout=60, what="scores in the metrics")
            yield running


def expected(metric, horizon):
    """Coverage and skill of all servers; each of them has the same copies."""
    sums = {}
    for name, then in THEN["predictions"].items():
        band = quantiles(then, metric, scores.HORIZONS[horizon] // 5 - 1)
        numbers = (*band, present(then, metric), present(NOW["predictions"][name], metric))
        scores.add(sums, scores.compare(*(round(number, 1) for number in numbers)))
    return 1 - (sums["below"] + sums["above"]) / sums["n"], scores.skill(sums["error"], sums["naive"])


def test_metrics_tell_coverage_and_skill(stack):
    text = stack.get("/metrics").text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    coverage, skill = series(text, "tft_forecast_coverage_ratio"), series(text, "tft_forecast_skill")
    assert set(coverage) == set(skill) == {(metric, horizon) for metric in METRICS for horizon in HORIZONS}
    for metric in METRICS:
        for horizon, name in enumerate(HORIZONS):
            want = expected(metric, horizon)
            assert (coverage[metric, name], skill[metric, name]) == pytest.approx(want, abs=5e-5), (metric, name)


def tables(page):
    """{metric: rows of cells}, of the section."""
    section = re.search(r'<details class="panel" id="foretold">.*?</details>', page, re.S)[0]
    found = {}
    for caption, body in re.findall(r"<caption>(.*?)</caption>.*?<tbody>(.*?)</tbody>", section, re.S):
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
        found[caption] = [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    return section, found


def row(metric, horizon):
    """All cells but the first two: when it was made."""
    then, now = THEN["predictions"][SERVER], NOW["predictions"][SERVER]
    low, median, high = (round(number, 1) for number in quantiles(then, metric, scores.HORIZONS[horizon] // 5 - 1))
    value, unit = round(present(now, metric), 1), "" if metric == "load" else "%"
    fit = "▼ below" if value < low else "▲ above" if value > high else "✓ inside"
    return [*(f"{number:.1f}{unit}" for number in (low, median, high, value)), fit]


def test_the_page_of_a_server_shows_what_was_forecast_for_now(stack):
    section, found = tables(stack.get(f"/server/{SERVER}").text)
    assert 'href="../accuracy?profile=web"' in section
    assert list(found) == ["CPU used", "Memory", "I/O wait", "Load"]
    for metric, rows in zip(METRICS, found.values(), strict=True):
        assert [cells[0] for cells in rows] == ["30 min", "1 h", "2 h", "4 h", "8 h"]
        assert [cells[2:] for cells in rows] == [row(metric, horizon) for horizon in range(5)]


def test_the_page_of_its_moment_shows_the_same(stack):
    at = re.search(r'id="moment" href="([^"]*)"', stack.get(f"/server/{SERVER}").text)[1]
    moment = re.search(r"at=([^&\"]+)", html.unescape(at))[1]
    section, found = tables(stack.get(f"/server/{SERVER}?at={moment}").text)
    assert f'href="../accuracy?profile=web&amp;at={moment}"' in section
    for metric, rows in zip(METRICS, found.values(), strict=True):
        assert [cells[2:] for cells in rows] == [row(metric, horizon) for horizon in range(5)]
    again = tables(stack.get(f"/server/{SERVER}?at={moment}").text)[0]
    assert again == section


def test_where_nothing_is_kept_it_says_so(stack):
    """The last one: it removes what the others read."""
    stack.redis.unlink("tfthist:forecasts")
    assert "No forecast for this time is kept." in tables(stack.get(f"/server/{SERVER}?view=compact").text)[0]
