# SPDX-License-Identifier: MIT
"""The demo daemon keeps the wire contract of the real daemons: its answers are compared with recorded ones.

The rules of the daemon's arithmetic are implemented here once more and also applied to the recordings, so that a rule
that is wrong here fails, too.
"""
import functools
import json
import math
import operator
import re
import subprocess
import threading
import time
from collections import Counter

import pytest

from demo_daemon import DAEMON, PATIENCE, Daemon, begin_inference, daemon  # noqa: F401
from fcgi_client import request
from upstream import payload_bytes

HOUR_MS = 3600000  # as --tick: time stands still during a test

UNLIMITED = math.inf
BOUNDS = {  # upper bound of p50 and of p90; p50 in whole numbers?
    "cpu_user_pct": (100, 100, False),
    "cpu_sys_pct": (100, 100, False),
    "cpu_iowait_pct": (100, 100, False),
    "cpu_idle_pct": (100, 100, False),
    "java_cpu_pct": (100, 100, False),
    "mem_used_pct": (100, 100, False),
    "swap_used_pct": (100, 100, False),
    "disk_usage_pct": (100, 100, False),
    "net_in_mb_s": (200, 200, False),
    "net_out_mb_s": (200, 200, False),
    "back_close_wait": (UNLIMITED, UNLIMITED, True),
    "front_close_wait": (UNLIMITED, UNLIMITED, True),
    "load_average": (16, 16, False),
    "uptime_days": (30, UNLIMITED, True),
}
ALERT_LIMITS = {
    "cpu_user_pct": (85, 95),
    "mem_used_pct": (90, 98),
    "cpu_iowait_pct": (20, 30),
    "swap_used_pct": (25, 50),
    "disk_usage_pct": (85, 95),
}


@pytest.fixture
def frozen(daemon):
    """An inference daemon with 300 ticks of history, in which no time passes."""
    return daemon("inference", "--warm", "--tick-ms", HOUR_MS, "--latency-ms", 0)


@pytest.fixture
def generator(daemon):
    return daemon("generator", "--warm", "--tick-ms", HOUR_MS)


def recorded(name):
    return json.loads(payload_bytes(name))


def shape(value):
    """Types and order of members; the first element of a list stands for all."""
    if isinstance(value, dict):
        return [(k, shape(v)) for k, v in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def alerts_of(predictions):
    """doc/upstream.md#alerts: one entry per step over the limit; critical first, then by minutes."""
    found = []
    for server, metrics in predictions.items():
        for metric in (m for m in metrics if m in ALERT_LIMITS):
            warning, critical = ALERT_LIMITS[metric]
            for step, value in enumerate(metrics[metric]["p50"][:12], 1):
                if value < warning:
                    continue
                severe = value >= critical
                found.append({
                    "server": server, "metric": metric, "severity": "critical" if severe else "warning",
                    "predicted_value": value, "threshold": critical if severe else warning,
                    "steps_ahead": step, "minutes_ahead": 5 * step,
                    "message": f"{server}: {metric} predicted to reach {value:.1f}",
                })
    return sorted(found, key=lambda a: (a["severity"] != "critical", a["minutes_ahead"]))


def points(metric, steps, limits):
    top50, top90 = max(metric["p50"][:steps]), max(metric["p90"][:steps])
    for p50, p90, value in limits:
        if top50 > p50 or top90 > p90:
            return value
    return 0.0


def added(values):
    """Adds one after the other, as the daemon does; since 3.12, Python's sum compensates for rounding."""
    return functools.reduce(operator.add, values, 0.0)


def environment_of(predictions):
    """doc/upstream.md#predictions, as the October daemon computes it."""
    near, far = [], []
    for metrics in predictions.values():
        near.append(min(1.0, added(points(m, 6, ((90, 98, 0.35), (85, 95, 0.15))) for m in metrics.values())))
        far.append(min(1.0, added(points(m, 96, ((88, 96, 0.25), (82, 92, 0.10))) for m in metrics.values())))
    prob_30m, prob_8h = added(near) / len(near), added(far) / len(far)
    return {
        "prob_30m": prob_30m, "prob_8h": prob_8h,
        "incident_probability_30m": prob_30m, "incident_probability_8h": prob_8h,
        "high_risk_servers": sum(s > 0.6 for s in near), "total_servers": len(near),
        "fleet_health": "critical" if prob_30m > 0.7 else "warning" if prob_30m > 0.4 else "healthy",
    }


def check_metric(name, metric):
    """doc/upstream.md#metrics: the clipped straight line, and around it a band that grows with the square root of the
    step."""
    top50, top90, whole = BOUNDS[name]
    assert [len(metric[q]) for q in ("p50", "p10", "p90")] == [96] * 3
    for i, (p10, p50, p90) in enumerate(zip(metric["p10"], metric["p50"], metric["p90"]), 1):
        line = min(max(metric["current"] + metric["trend"] * i, 0.0), top50)
        assert p50 == (float(int(line)) if whole else line)
        assert 0 <= p10 <= p50 <= p90 <= top90
        unclipped = p90 < top90 and metric["p90"][0] < top90
        if unclipped:
            first = metric["p90"][0] - metric["p50"][0]
            assert p90 - p50 == pytest.approx(first * math.sqrt(i), rel=1e-9, abs=1e-9)
        if unclipped and p10 > 0:
            assert p90 - p50 == pytest.approx(p50 - p10, rel=1e-9, abs=1e-9)


def wait_tick(generator, tick):
    deadline = time.monotonic() + 20
    while generator.get("/scenario/status").json()["tick_count"] < tick:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def body(daemon):
    """body(source): a recorded answer, or that of a fleet under this scenario after its ramp."""

    def fetch(source):
        if source.startswith("predictions_current"):
            return payload_bytes(source)
        inference = daemon("inference", "--warm", "--tick-ms", 10, "--latency-ms", 0)
        generator = daemon("generator", "--warm", "--tick-ms", 10)
        generator.set_scenario(source)
        wait_tick(generator, generator.get("/scenario/status").json()["tick_count"] + 30)
        return inference.get("/predictions/current").body

    return fetch


both = pytest.mark.parametrize("source", ["predictions_current-critical-20", "healthy", "critical"])


@both
def test_predictions_have_the_recorded_shape(source, body):
    ours = json.loads(body(source))
    theirs = recorded("predictions_current-healthy-20")
    assert list(ours) == list(theirs)
    assert set(ours["predictions"]) == set(theirs["predictions"])
    servers = [shape(s) for s in ours["predictions"].values()]
    assert servers == [shape(s) for s in theirs["predictions"].values()]
    assert shape(ours["environment"]) == shape(theirs["environment"])
    assert shape(ours["metadata"]) == shape(theirs["metadata"])
    assert [shape(a) for a in ours["alerts"]] == [shape(theirs["alerts"])[0]] * len(ours["alerts"])
    assert {ours["metadata"][k] for k in ("model_type", "model_dir", "device")} == {"TFT", "none", "cpu"}
    assert ours["metadata"]["horizon_steps"] == 96


@both
def test_every_number_is_written_as_python_writes_it(source, body):
    sent = body(source)
    assert json.dumps(json.loads(sent), separators=(",", ":"), ensure_ascii=False).encode() == sent


@both
def test_forecasts_are_clipped_straight_lines_with_a_band(source, body):
    predictions = json.loads(body(source))["predictions"]
    for metrics in predictions.values():
        assert list(metrics) == list(BOUNDS)
        for name, metric in metrics.items():
            check_metric(name, metric)


@both
def test_alerts_and_environment_follow_from_the_forecasts(source, body):
    answer = json.loads(body(source))
    assert json.dumps(answer["alerts"]) == json.dumps(alerts_of(answer["predictions"]))
    assert answer["environment"] == environment_of(answer["predictions"])


def test_alerts_active_gives_the_list_of_the_predictions(daemon):
    running = daemon("inference", "--servers", 200, "--warm", "--tick-ms", HOUR_MS, "--latency-ms", 0)
    answer = running.get("/alerts/active").json()
    assert shape(answer) == shape(recorded("alerts_active-critical-20"))
    assert answer["alerts"] == running.get("/predictions/current").json()["alerts"]
    assert answer["count"] == len(answer["alerts"]) > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", answer["timestamp"])


def test_the_answer_tells_its_length_and_type(frozen):
    answer = frozen.get("/predictions/current")
    assert answer.complete and answer.status == 200
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["content-type"] == "application/json"


def test_servers_are_named_as_the_generator_names_them(daemon):
    running = daemon("inference", "--servers", 500, "--warm", "--tick-ms", HOUR_MS, "--latency-ms", 0)
    names = set(running.get("/predictions/current").json()["predictions"])
    assert len(names) == 500
    assert names > set(recorded("predictions_current-critical-500")["predictions"])


def test_the_smallest_fleet_has_one_server_of_each_kind(daemon):
    running = daemon("inference", "--servers", 7, "--warm", "--tick-ms", HOUR_MS, "--latency-ms", 0)
    names = running.get("/predictions/current").json()["predictions"]
    kinds = Counter(re.match("[a-z]+", name)[0] for name in names)
    assert kinds == dict.fromkeys(("ppweb", "ppml", "ppdb", "ppetl", "pprisk", "ppgen", "ppcon"), 1)


def test_a_seed_decides_the_values(tmp_path):
    def values(directory, seed):
        (tmp_path / directory).mkdir()
        options = ("--warm", "--tick-ms", HOUR_MS, "--latency-ms", 0, "--seed", seed)
        running = Daemon(tmp_path / directory, "inference", *options)
        try:
            return running.get("/predictions/current").json()["predictions"]
        finally:
            running.stop()

    assert values("a", 5) == values("b", 5) != values("c", 6)


def test_the_order_of_the_servers_changes_with_time(daemon):
    running = daemon("inference", "--warm", "--tick-ms", 10, "--latency-ms", 0)
    orders = set()
    deadline = time.monotonic() + 10
    while len(orders) < 3 and time.monotonic() < deadline:
        orders.add(tuple(running.get("/predictions/current").json()["predictions"]))
    assert len(orders) >= 3
    assert len({frozenset(order) for order in orders}) == 1


@pytest.mark.parametrize("role, method, uri, status, body", [
    ("inference", "GET", "/health", 200, "health-any-20"),
    ("inference", "GET", "/nowhere", 404, "not_found-any-20"),
    ("inference", "GET", "/explain/ppweb001", 404, "not_found-any-20"),
    ("inference", "POST", "/predictions/current", 405, "method_not_allowed-any-20"),
    ("inference", "GET", "/feed/data", 405, "method_not_allowed-any-20"),
    ("generator", "GET", "/health", 404, "not_found-any-20"),
    ("generator", "GET", "/scenario/set", 405, "method_not_allowed-any-20"),
])
def test_constant_answers_are_the_recorded_bytes(daemon, role, method, uri, status, body):
    running = daemon(role)
    answer = request(running.path, running.params(method, uri))
    assert (answer.status, answer.body) == (status, payload_bytes(body))


def test_the_root_tells_service_and_version(frozen, generator):
    assert frozen.get("/").json()["version"] == "2.0"
    assert list(generator.get("/").json()) == [
        "service", "version", "status", "scenario", "fleet_size", "endpoints"]


@pytest.fixture
def cold(daemon):
    """An inference daemon that has received nothing yet."""
    return daemon("inference", "--tick-ms", HOUR_MS, "--latency-ms", 0)


def batch(count):
    return {"records": [{"server_name": f"ppweb{i:03}", "cpu_user_pct": 1.5} for i in range(count)]}


def test_too_few_records_are_told_with_status_200(cold):
    assert cold.get("/predictions/current").body == payload_bytes("predictions_current-insufficient_empty-20")
    assert cold.post("/feed/data", batch(60)).status == 200
    assert cold.get("/predictions/current").body == payload_bytes("predictions_current-insufficient-20")
    alerts = cold.get("/alerts/active").json()
    assert (list(alerts), alerts["count"], alerts["alerts"]) == (["timestamp", "count", "alerts"], 0, [])
    cold.post("/feed/data", batch(40))
    assert len(cold.get("/predictions/current").json()["predictions"]) == 20


def test_fed_records_count(cold):
    answer = cold.post("/feed/data", batch(60)).json()
    assert shape(answer) == shape(recorded("feed_data-accepted_warming-20"))
    assert (answer["tick"], answer["window_size"], answer["warmup_complete"]) == (1, 60, False)
    cold.post("/feed/data", batch(5000))
    assert cold.post("/feed/data", batch(5000)).json()["window_size"] == 6000


def test_warm_up_is_reported_as_recorded(cold):
    assert cold.get("/status").body == payload_bytes("status-no_data-20")
    cold.post("/feed/data", batch(60))
    status = cold.get("/status").json()
    assert status == recorded("status-warming_up_start-20") | {"tick_count": 1}


def test_a_warm_fleet_says_so(frozen):
    status = frozen.get("/status").json()
    theirs = recorded("status-warmed_up-20")
    assert shape(status) == shape(theirs)
    assert status["warmup"] | {"current_size": 0} == theirs["warmup"] | {"current_size": 0}
    assert status["tick_count"] == 300 and status["warmup"]["current_size"] >= 150


def test_the_servers_get_ready_one_after_the_other(daemon):
    running = daemon("inference", "--tick-ms", 50)
    seen = set()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = running.get("/status").json()
        warmup = status["warmup"]
        seen.add(warmup["progress_percent"])
        assert warmup["is_warmed_up"] == (warmup["progress_percent"] == 100)
        assert status["tick_count"] >= 150 or warmup["progress_percent"] == 0
        if warmup["is_warmed_up"]:
            break
        time.sleep(0.02)
    assert 100 in seen and 0 in seen and len(seen) > 2


@pytest.mark.parametrize("body, status, expected", [
    (b'{"records":[]}', 200, "feed_data-empty_batch-20"),
    (b'{"rows":[]}', 422, "feed_data-invalid_body-20"),
])
def test_feed_answers_are_the_recorded_bytes(cold, body, status, expected):
    answer = cold.post("/feed/data", body)
    assert (answer.status, answer.body) == (status, payload_bytes(expected))


@pytest.mark.parametrize("text", ["\U0001f7e2 B\xf6rse", "\xe9", "\u65e5\u672c"])
def test_feed_takes_letters_beyond_ascii(cold, text):
    answer = cold.post("/feed/data", json.dumps({"records": [], "\xfc": text}, ensure_ascii=False).encode())
    assert (answer.status, answer.body) == (200, payload_bytes("feed_data-empty_batch-20"))


@pytest.mark.parametrize("body, content_type", [
    (b'{"records":[],"a":"\xff"}', "application/json"),
    (b'{"records":[],\xc3\xa9:1}', "application/json"),
    (b'{"records":{}}', "application/json"),
    (b'{"records":[{},5]}', "application/json"),
    (b'{"records":null}', "application/json"),
    (b'[]', "application/json"),
    (b'{"records":[', "application/json"),
    (b'{"records":[]} x', "application/json"),
    (b'\xff', "application/json"),
    (b'records=1', "application/x-www-form-urlencoded"),
    (b'', "application/json"),
])
def test_feed_refuses_what_is_no_list_of_objects(cold, body, content_type):
    answer = cold.post("/feed/data", body, content_type=content_type)
    assert answer.status == 422
    detail, = answer.json()["detail"]
    assert detail["loc"][0] == "body" and detail["msg"] and detail["type"]
    assert cold.get("/status").json()["window_size"] == 0


def test_a_key_is_wanted_where_the_real_daemon_wants_it(daemon):
    running = daemon("inference", "--latency-ms", 0, key="secret")
    refusal = payload_bytes("predictions_current-no_key-0")
    for uri in ("/predictions/current", "/alerts/active"):
        for key in ("", "Secret", "secret "):
            answer = running.get(uri, key=key)
            assert (answer.status, answer.body) == (403, refusal)
        assert running.get(uri, key="secret").status == 200
    assert running.post("/feed/data", batch(1)).status == 403
    assert [running.get(uri).status for uri in ("/", "/health", "/status")] == [200] * 3


def test_without_a_configured_key_any_key_is_ignored(cold):
    assert cold.get("/predictions/current", key="whatever").status == 200


def test_the_limit_is_per_endpoint_and_client_and_refused_calls_are_free(daemon):
    running = daemon("inference", "--latency-ms", 0, "--rate-limit", 30, key="k")
    for _ in range(35):
        assert running.get("/predictions/current", key="bad").status == 403
    codes = [running.get("/predictions/current", key="k").status for _ in range(30)]
    assert codes == [200] * 30
    answer = running.get("/predictions/current", key="k")
    assert (answer.status, answer.body) == (429, payload_bytes("predictions_current-rate_limited-0"))
    assert answer.headers["content-type"] == "application/json"
    assert "retry-after" not in answer.headers
    assert running.get("/alerts/active", key="k").status == 200
    assert running.get("/predictions/current", key="k", ip="127.0.0.2").status == 200
    assert running.get("/status").status == 200


def test_no_limit_unless_asked_for(cold):
    assert {cold.get("/predictions/current").status for _ in range(70)} == {200}


def ticks_aside(body):
    return re.sub(rb'"tick_count":\d+', b'"tick_count":0', body)


def names(generator):
    return set(generator.get("/scenario/status").json()["affected_servers"])


def test_scenario_answers_are_the_recorded_bytes(generator):
    assert ticks_aside(generator.get("/scenario/status").body) == \
        ticks_aside(payload_bytes("scenario_status-healthy-20"))
    assert ticks_aside(generator.set_scenario("degrading").body) == \
        ticks_aside(payload_bytes("scenario_set-degrading-20"))
    generator.set_scenario("critical")
    assert ticks_aside(generator.set_scenario("healthy").body) == \
        ticks_aside(payload_bytes("scenario_set-healthy-20"))
    status = generator.get("/status").json()
    assert shape(status) == shape(recorded("generator_status-healthy-20"))


def test_critical_is_set_and_answered_with_500(generator):
    answer = generator.set_scenario("critical")
    assert (answer.status, answer.body) == (500, payload_bytes("scenario_set-critical_fresh-20"))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    status = generator.get("/scenario/status").json()
    assert shape(status) == shape(recorded("scenario_status-critical-20"))
    assert (status["scenario"], status["total_affected"]) == ("critical", 5)


def test_critical_after_degrading_strikes_the_same_servers(generator):
    generator.set_scenario("degrading")
    before = names(generator)
    assert len(before) == 4
    generator.set_scenario("critical")
    assert names(generator) == before


def test_setting_a_scenario_again_draws_other_servers(generator):
    generator.set_scenario("degrading")
    before = names(generator)
    generator.set_scenario("degrading")
    assert len(names(generator)) == 4 and names(generator) != before


def test_cascade_begins_in_two_databases(generator):
    answer = generator.set_scenario("cascade")
    assert (answer.status, answer.json()["new_scenario"], answer.json()["affected_servers"]) == (200, "cascade", 2)
    status = generator.get("/scenario/status").json()
    assert shape(status) == shape(recorded("scenario_status-critical-20"))
    assert (status["scenario"], status["total_affected"]) == ("cascade", 2)
    assert all(name.startswith("ppdb") for name in status["affected_servers"])


@pytest.mark.parametrize("scenario, total", [("degrading", 18), ("critical", 22)])
def test_at_most_ten_names_are_sent(daemon, scenario, total):
    running = daemon("generator", "--servers", 90)
    running.set_scenario(scenario)
    status = running.get("/scenario/status").json()
    assert (len(status["affected_servers"]), status["total_affected"]) == (10, total)


@pytest.mark.parametrize("body, status, expected", [
    (b'{"scenario":"bogus"}', 200, "scenario_set-invalid_name-20"),
    (b'{"scenario":"Critical"}', 200, "scenario_set-uppercase-20"),
    (b'{"scenario":5}', 200, "scenario_set-wrong_type-20"),
    (b'{"name":"critical"}', 422, "scenario_set-missing_field-20"),
    (b'{bad', 422, "scenario_set-malformed_json-20"),
])
def test_refused_scenarios_change_nothing(generator, body, status, expected):
    answer = generator.post("/scenario/set", body)
    assert (answer.status, answer.body) == (status, payload_bytes(expected))
    assert generator.get("/scenario/status").json()["scenario"] == "healthy"


def test_a_form_is_no_scenario(generator):
    answer = generator.post("/scenario/set", b"scenario=critical", content_type="application/x-www-form-urlencoded")
    assert answer.status == 422
    assert generator.get("/scenario/status").json()["scenario"] == "healthy"


def current(inference, metric):
    predictions = inference.get("/predictions/current").json()["predictions"]
    return {name: metrics[metric]["current"] for name, metrics in predictions.items()}


def test_a_scenario_shows_in_cpu_and_memory_of_its_servers_only(daemon):
    inference = daemon("inference", "--warm", "--tick-ms", 10, "--latency-ms", 0)
    generator = daemon("generator", "--warm", "--tick-ms", 10)
    idle_before = current(inference, "cpu_idle_pct")
    generator.set_scenario("critical")
    status = generator.get("/scenario/status").json()
    affected = set(status["affected_servers"])
    wait_tick(generator, status["tick_count"] + 30)
    idle, memory = current(inference, "cpu_idle_pct"), current(inference, "mem_used_pct")
    assert all(idle[name] < 12 and 85 < memory[name] for name in affected)
    others = set(idle) - affected
    assert sum(idle[name] for name in others) > 0.8 * sum(idle_before[name] for name in others)


def test_a_cascade_strains_its_databases_and_who_waits_for_them(daemon):
    inference = daemon("inference", "--warm", "--tick-ms", 10, "--latency-ms", 0)
    generator = daemon("generator", "--warm", "--tick-ms", 10)
    generator.set_scenario("cascade")
    status = generator.get("/scenario/status").json()
    wait_tick(generator, status["tick_count"] + 30)
    idle, wait = current(inference, "cpu_idle_pct"), current(inference, "cpu_iowait_pct")
    assert all(idle[name] < 12 and wait[name] > 30 for name in status["affected_servers"])
    assert all(idle[name] < 35 for name in idle if name.startswith(("ppweb", "ppetl", "pprisk", "ppcon")))


def test_a_ramp_takes_time(daemon):
    """Nothing jumps when the scenario is set: at the next tick, the affected servers are where they were."""
    inference = daemon("inference", "--warm", "--tick-ms", HOUR_MS, "--latency-ms", 0)
    generator = daemon("generator", "--warm", "--tick-ms", HOUR_MS)
    before = current(inference, "cpu_idle_pct")
    generator.set_scenario("critical")
    assert current(inference, "cpu_idle_pct") == before


def test_a_restart_loses_nothing(daemon):
    options = ("--warm", "--tick-ms", HOUR_MS, "--latency-ms", 0)
    inference, generator = daemon("inference", *options), daemon("generator", *options)
    inference.post("/feed/data", batch(3))
    generator.set_scenario("degrading")
    before = (names(generator), inference.get("/status").body, inference.get("/alerts/active").json()["alerts"])
    assert inference.stop() == generator.stop() == 0
    inference, generator = daemon("inference", *options), daemon("generator", *options)
    assert before == (names(generator), inference.get("/status").body,
                      inference.get("/alerts/active").json()["alerts"])


def test_a_state_file_of_another_fleet_is_refused(daemon, generator):
    assert generator.get("/status").status == 200
    assert daemon("inference", "--servers", 90, "--tick-ms", HOUR_MS).process.wait(PATIENCE) == 78
    assert generator.get("/status").json()["fleet_size"] == 20


def test_two_roles_started_together_share_one_fleet(daemon):
    roles = [daemon(role, "--tick-ms", 10) for role in ("inference", "generator")]
    ticks = [running.get("/status").json()["tick_count"] for running in roles]
    assert abs(ticks[0] - ticks[1]) < 200


def test_nothing_else_is_answered_during_an_inference(daemon):
    running = daemon("inference", "--tick-ms", HOUR_MS, "--latency-ms", 400)
    assert running.get("/health").status == 200
    with begin_inference(running) as inference:
        done = []
        other = threading.Thread(target=lambda: done.append(running.get("/health").status))
        begun = time.monotonic()
        other.start()
        inference.recv(1)
        other.join()
    assert done == [200]
    assert time.monotonic() - begun > 0.3


def test_a_cut_parameter_list_gets_no_answer(cold):
    params = cold.params("GET", "/health")
    del params["DEMO_END"]
    assert request(cold.path, params).status == 0
    assert cold.get("/health").status == 200


@pytest.mark.parametrize("options", [
    [], ["--role", "inference"], ["--role", "other", "--state", "x"], ["--role", "inference", "--state", "x", "y"],
    ["--role", "inference", "--state", "x", "--servers", "6"], ["--role", "generator", "--state", "x", "--seed", "1x"],
])
def test_wrong_usage_is_told(tmp_path, options):
    run = subprocess.run([DAEMON, *options], cwd=tmp_path, capture_output=True, stdin=subprocess.DEVNULL, text=True)
    assert run.returncode == 2 and "usage:" in run.stderr
    assert not (tmp_path / "x").exists()
