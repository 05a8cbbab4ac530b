# SPDX-License-Identifier: MIT
"""The answers of /api/v1/fleet and /api/v1/alerts for every recorded payload equal what the corrected original computes."""
import golden
import pytest
from stack import Stack, long_interval


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2, interval=long_interval(), l1=False) as running:
        yield running


@pytest.fixture(scope="module", params=golden.NAMES)
def answers(request, stack):
    """(expected, fleet, alerts) of one payload, fetched through the whole chain."""
    stack.upstream.predictions.load(request.param)
    stack.redis.flushdb()
    fleet = stack.wait_fleet(timeout=30)
    alerts = stack.get("/api/v1/alerts").json()
    assert alerts["bucket"] == fleet["bucket"]
    return golden.load(request.param), fleet, alerts


def test_every_server_is_there_once(answers):
    expected, fleet, _ = answers
    names = [server["name"] for server in fleet["servers"]]
    assert sorted(names) == sorted(expected["servers"])
    assert fleet["fleet"]["total"] == len(names)


def test_scores_levels_and_readings_are_the_expected_ones(answers):
    expected, fleet, _ = answers
    for server in fleet["servers"]:
        want = expected["servers"][server["name"]]
        where = server["name"]
        assert round(server["risk"] * 10) == golden.tenths(want["risk_fixed"]), where
        assert server["level"] == want["level7_fixed"], where
        cpu = want["cpu_used"]
        assert golden.close(server["cpu"]["now"], cpu["current_fixed"]), where
        assert golden.close(server["cpu"]["p50_30m"], cpu["p50"]), where
        assert golden.close(server["cpu"]["p90_30m"], cpu["p90_fixed"]), where
        assert golden.close(server["cpu"]["p10_30m"], cpu["p10_fixed"]), where
        for metric in ("iowait", "memory"):
            assert golden.close(server[metric]["now"], want[metric]["current"]), where
            assert golden.close(server[metric]["p50_30m"], want[metric]["p50_30m"]), where


def test_order_is_risk_descending_then_name(answers):
    _, fleet, _ = answers
    order = [(-server["risk"], server["name"].encode()) for server in fleet["servers"]]
    assert order == sorted(order)


def test_counts_index_and_card_are_the_expected_ones(answers):
    expected, fleet, _ = answers
    fixed = expected["fixed"]
    healthy, total = map(int, fixed["fleet_healthy"].split("/"))
    assert fleet["fleet"]["levels"] == fixed["count_by_level7"]
    assert (fleet["fleet"]["healthy"], fleet["fleet"]["total"]) == (healthy, total)
    assert fleet["environment"]["predicted_status"] == fixed["predicted_status"]
    point = fixed["historical_point"]
    assert golden.close(fleet["environment"]["prob_30m"] * 100, point["Environment Risk (30m)"])
    assert golden.close(fleet["environment"]["prob_8h"] * 100, point["Environment Risk (8h)"])
    assert fleet["model"] == "heuristic"


def test_environment_status_follows_the_shares(answers):
    expected, fleet, _ = answers
    tenths = [golden.tenths(risk) for risk in expected["fixed"]["risk"].values()]
    share = {cut: sum(risk >= cut for risk in tenths) for cut in (500, 600, 800)}
    status = expected["fixed"]["environment_status"]["text"]
    # D1: also Caution when more than 10 % are at 50 or above.
    if status == "Healthy" and 10 * share[500] > len(tenths):
        status = "Caution"
    assert fleet["environment"]["status"] == status


def test_alerts_are_the_servers_at_fifty_and_above(answers):
    expected, fleet, alerts = answers
    fixed = expected["fixed"]
    assert alerts["count"] == fixed["alert_count"] == len(alerts["alerts"])
    order = sorted(
        (name for name, risk in fixed["risk"].items() if golden.tenths(risk) >= 500),
        key=lambda name: (-golden.tenths(fixed["risk"][name]), name.encode()),
    )
    assert [alert["server"] for alert in alerts["alerts"]] == order
    servers = {server["name"]: server for server in fleet["servers"]}
    for alert in alerts["alerts"]:
        server = servers[alert["server"]]
        assert (alert["risk"], alert["level"], alert["profile"]) == (server["risk"], server["level"], server["profile"])
        for metric in ("cpu", "iowait", "memory"):
            now, predicted = server[metric]["now"], server[metric]["p50_30m"]
            assert (alert[metric]["now"], alert[metric]["predicted"]) == (now, predicted)
            if now is not None and predicted is not None:
                assert golden.close(alert[metric]["delta"], predicted - now)


def test_heatmap_values_are_the_expected_ones(answers):
    expected, fleet, _ = answers
    synthetic = expected["source"].startswith("predictions_synthetic")
    for server in fleet["servers"]:
        want = expected["servers"][server["name"]]["heatmap"]
        ours = server["heatmap"]
        assert ours["risk"] == server["risk"]
        if synthetic:  # D10: short and absent lists follow section 2, which test_golden.c checks value by value
            continue
        assert golden.close(ours["cpu"], want["CPU (p90)"], 1e-6), server["name"]
        assert golden.close(ours["memory"], want["Memory (p90)"], 1e-6), server["name"]
        assert golden.close(ours["load"], want["Load Avg (p90)"], 1e-6), server["name"]
