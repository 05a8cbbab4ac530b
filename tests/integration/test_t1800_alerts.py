# SPDX-License-Identifier: MIT
"""Alerts reach a real Alertmanager: once per bucket over all hosts, whatever happens to workers, Redis and Alertmanager."""
import json
import os
import re
import signal
from datetime import datetime

import pytest
from alertmanager import Alertmanager, Gate
from load import Load

from upstream import payload_bytes

HOT = "ppetl002"  # the only server of the recorded fleet at Danger or worse
FLEET = json.loads(payload_bytes("predictions_current-healthy-20"))
CALM = {**FLEET, "predictions": {name: server for name, server in FLEET["predictions"].items() if name != HOT}}
# Redis' clock is behind, so that leap() never makes it tell an Alertmanager of the future; and alerts last three minutes.
BEHIND = -120


def is_hot(stack, hot):
    set_fleet(stack.upstream, FLEET if hot else CALM)


def set_fleet(upstream, fleet):
    upstream.predictions.body = json.dumps(fleet).encode()


@pytest.fixture
def alertmanager():
    with Alertmanager() as running:
        yield running


@pytest.fixture
def start(stack_factory, upstream):
    def start(gate, **options):
        env = {"TFT_ALERTMANAGER": gate.url, "TFT_FLEET": "north", "TFT_PUBLIC_URL": "https://dash.example", **options.pop("env", {})}
        set_fleet(upstream, CALM)
        running = stack_factory(upstream=upstream, interval=5, l1=False, ahead=BEHIND, env=env, **{"workers": 1, **options})
        running.wait_fleet()
        running.wait(lambda: gate.posts, what="the first post")
        return running

    return start


@pytest.fixture
def gate():
    running = Gate()
    yield running
    running.close()


def next_post(stack, gate, buckets=1):
    """From snapshot to snapshot, until that of the last one has been posted."""
    for _ in range(buckets):
        seen = len(gate.posts)
        stack.next_snapshot()
        stack.wait(lambda: len(gate.posts) > seen, what="the alerts of the snapshot are posted")


def ended(alert):
    return datetime.fromisoformat(alert["endsAt"].replace("Z", "+00:00"))


def risks(gate):
    return {alert["labels"]["severity"]: alert for alert in gate.last("TftServerRisk")}


def test_a_risk_is_told_once_by_all_hosts_and_resolved(start, alertmanager):
    gate = alertmanager.gate
    stack = start(gate, hosts=2)
    is_hot(stack, True)
    next_post(stack, gate)
    assert gate.last("TftServerRisk") == [], "it has not lasted for two buckets"
    next_post(stack, gate)
    (alert,) = [alert for alert in gate.last("TftServerRisk") if alert["labels"]["severity"] == "danger"]
    assert alert["labels"] == {"alertname": "TftServerRisk", "severity": "danger", "fleet": "north", "server": HOT, "profile": "etl"}
    assert HOT in alert["annotations"]["summary"] and " adds " in alert["annotations"]["rules"]
    link = alert["generatorURL"]
    assert link.startswith(f"https://dash.example/server/{HOT}?at=")
    assert stack.get(link.removeprefix("https://dash.example")).status_code == 200
    stack.wait(lambda: alertmanager.received("firing", "TftServerRisk", severity="danger"), what="the receiver is told")

    for host in range(2):
        for pid in stack.worker_pids(host):
            os.kill(pid, signal.SIGKILL)
    is_hot(stack, False)
    next_post(stack, gate)
    is_hot(stack, True)  # it flaps
    next_post(stack, gate)
    assert risks(gate)["danger"]["startsAt"] == alert["startsAt"]
    is_hot(stack, False)
    next_post(stack, gate, 2)
    assert ended(risks(gate)["danger"]) < ended(alert)
    for severity in ("danger", "critical", "imminent"):
        stack.wait(lambda: alertmanager.received("resolved", "TftServerRisk", severity=severity), what="the receiver is told of the end")
        assert len(alertmanager.received("firing", "TftServerRisk", severity=severity)) == 1
        assert len(alertmanager.received("resolved", "TftServerRisk", severity=severity)) == 1
    assert len(gate.posts) <= stack.redis.xlen("tfthist:fleet"), "at most one post for each committed bucket"
    assert stack.redis.pttl(f"tft:alerts:{stack.committed()}") > 0


def test_an_alertmanager_that_is_away_or_hangs_gets_all_of_it_later(start, alertmanager):
    gate = alertmanager.gate
    stack = start(gate, env={"TFT_ANONYMOUS": "operator"})
    is_hot(stack, True)
    alertmanager.stop()
    next_post(stack, gate, 2)
    assert gate.last("TftServerRisk")
    gate.opened.clear()
    next_post(stack, gate)
    stack.wait(lambda: "ev=alerts_failed alertmanager=1 result=timed-out" in stack.logs(), what="it is given up")
    stack.next_snapshot()
    page = stack.get("/")
    assert page.status_code == 200 and "No Alertmanager has taken the alerts since <time" in page.text
    stack.wait(lambda: 'id="alerts-fault">' in stack.get("/advanced").text, what="the page Advanced tells why")
    stack.wait(lambda: 'alert_posts_total{result="timed-out"}' in stack.get("/metrics").text, what="it is counted")
    assert "/readyz" and stack.get("/readyz").json()["status"] == "pass"

    gate.opened.set()
    alertmanager.start()
    next_post(stack, gate)
    stack.wait(lambda: alertmanager.received("firing", "TftServerRisk", severity="danger"), what="the receiver is told after all")
    stack.next_snapshot()
    assert "No Alertmanager" not in stack.get("/").text


def test_each_alertmanager_gets_all_and_one_is_enough(start, gate):
    other = Gate()
    stack = start(gate, env={"TFT_ALERTMANAGER": f"{gate.url}, {other.url}/"})
    is_hot(stack, True)
    next_post(stack, gate, 2)
    stack.wait(lambda: other.posts[-1:] == gate.posts[-1:], what="both have the same")
    gate.status = 500
    next_post(stack, other)
    stack.wait(lambda: "alertmanager=1 result=status-5xx status=500" in stack.logs(), what="the fault is logged")
    stack.next_snapshot()
    assert "No Alertmanager" not in stack.get("/").text
    other.close()


@pytest.mark.parametrize("secret, header", [("anna:pass w0rd9", "Basic YW5uYTpwYXNzIHcwcmQ5"), ("Bearer t0ken", "Bearer t0ken")])
def test_what_it_asks_for_is_sent_and_told_nowhere(start, gate, tmp_path, secret, header):
    file = tmp_path / "secret"
    file.write_text(secret + "\n")
    file.chmod(0o640)
    stack = start(gate, env={"TFT_ALERT_AUTHENTICATION_FILE": str(file), "TFT_ANONYMOUS": "operator"})
    assert gate.headers[-1]["Authorization"] == header
    told = stack.logs() + stack.get("/advanced").text
    assert secret.split()[-1] not in told and "alert.authentication" in told


def test_a_key_that_is_refused_and_data_that_are_too_old(start, gate):
    stack = start(gate)
    is_hot(stack, True)
    next_post(stack, gate, 2)
    since = risks(gate)["danger"]["startsAt"]
    stack.upstream.predictions.fail(403)
    stack.leap()
    stack.wait(lambda: stack.get("/") and gate.last("TftKeyRefused"), what="who fails tells it")
    assert risks(gate)["danger"]["startsAt"] == since, "what fired with the last data still fires"
    stack.upstream.predictions.reset_controls()
    is_hot(stack, True)
    stack.leap(70)  # until the key may be tried again
    seen = stack.committed()
    stack.wait(lambda: stack.get("/") and stack.committed() > seen, what="new data")
    stack.wait(lambda: [ended(a) for a in gate.last("TftKeyRefused")][:1] < [ended(risks(gate)["danger"])], what="its end is told")


def test_without_redis_each_host_tells_so_once_per_interval(start, gate):
    stack = start(gate, hosts=2, workers=2)
    is_hot(stack, True)
    next_post(stack, gate, 2)
    stack.wait(lambda: "danger" in risks(gate) or next_post(stack, gate), what="it fires")
    stack.redis.config_set("min-replicas-to-write", 1)
    stack.leap()
    # Several viewers at once, so that each worker is asked.
    with Load(stack, hosts=(0, 1), clients=4, keep=False):
        stack.wait(lambda: gate.last("TftCacheOff"), what="it is told")
        assert [alert["annotations"]["cause"] for alert in gate.last("TftCacheOff")] == ["Redis has too few replicas"]
        # By then each worker has seen for itself, in two intervals, what fired before.
        fetched = [re.compile(rf"pid={pid} .*ev=local_refresh result=none") for host in range(2) for pid in stack.worker_pids(host)]
        stack.wait(lambda: all(len(line.findall(stack.logs())) >= 2 for line in fetched), 90, "fetches by each worker")
        seen = len(gate.posts)
        stack.wait(lambda: len(gate.posts) >= seen + 4, 60, "posts of both hosts")
    for post in gate.posts[seen:]:
        assert {("TftCacheOff", "danger"), ("TftServerRisk", "danger")} <= {(a["labels"]["alertname"], a["labels"]["severity"]) for a in post}
    stack.redis.config_set("min-replicas-to-write", 0)
    next_post(stack, gate)
    assert gate.last("TftCacheOff") == [], "it ends by itself"
