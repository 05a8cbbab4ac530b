# SPDX-License-Identifier: MIT
"""One alert through every fault: the log of its receiver decides. It is told once, and its end once; a bucket is posted once."""
from datetime import datetime, timezone

import pytest
from alertmanager import Alertmanager
from stack import Stack
from test_t0310_hosts import has_fault_hooks
from test_t1800_alerts import CALM, is_hot, next_post, risks, set_fleet
from upstream import Upstream

INTERVAL = 5
# Redis' clock begins behind, since leap() puts it forward in each bucket: an end in the future would not be one yet.
BEHIND = -60
LASTS = 180  # seconds that an alert lasts if nothing more is heard of it


@pytest.fixture
def alertmanager():
    with Alertmanager() as running:
        yield running


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).timestamp()


def buckets(posts):
    """The bucket of each post in which something fires; without those that hosts send while Redis is away."""
    shared = [post for post in posts if post and all(alert["labels"]["alertname"] != "TftCacheOff" for alert in post)]
    return [int((max(seconds(alert["endsAt"]) for alert in post) - LASTS) // INTERVAL) for post in shared]


@pytest.mark.skipif(not has_fault_hooks(), reason="built without --enable-fault-hooks")
def test_no_alert_is_missed_or_told_twice(alertmanager, tmp_path):
    gate, arm = alertmanager.gate, tmp_path / "armed"
    env = {"TFT_ALERTMANAGER": gate.url, "TFT_FLEET": "north", "TFT_FAULT": "before-alerts:kill", "TFT_FAULT_ARM": str(arm)}
    upstream = Upstream()
    set_fleet(upstream, CALM)
    try:
        with Stack(upstream=upstream, workers=2, hosts=2, interval=INTERVAL, l1=False, ahead=BEHIND, env=env) as stack:
            stack.wait_fleet()
            stack.wait(lambda: gate.posts, what="the first post")
            run(stack, alertmanager, arm)
    finally:
        upstream.close()


def fires(stack, gate):
    """The danger of the server, as the next bucket posts it."""
    next_post(stack, gate)
    return risks(gate)["danger"]


def run(stack, alertmanager, arm):
    gate = alertmanager.gate

    def told(status, severity="danger"):
        return alertmanager.received(status, "TftServerRisk", severity=severity)

    is_hot(stack, True)
    next_post(stack, gate, 2)
    since = risks(gate)["danger"]["startsAt"]
    stack.wait(lambda: told("firing"), what="the receiver is told")

    # The winner of a bucket dies between its commit and its post.
    posts = len(gate.posts)
    arm.touch()
    stack.next_snapshot()
    stack.wait(lambda: not arm.exists(), what="the winner dies")
    assert len(gate.posts) == posts
    assert fires(stack, gate)["startsAt"] == since

    stack.restart_redis()
    stack.wait_fleet()
    assert fires(stack, gate)["startsAt"] == since

    alertmanager.stop()
    stack.next_snapshot()
    alertmanager.start()
    assert fires(stack, gate)["startsAt"] == since

    gate.opened.clear()
    next_post(stack, gate)
    stack.wait(lambda: "result=timed-out" in stack.logs(), what="it is given up")
    gate.opened.set()
    assert fires(stack, gate)["startsAt"] == since

    is_hot(stack, False)  # it flaps
    next_post(stack, gate)
    is_hot(stack, True)
    assert fires(stack, gate)["startsAt"] == since
    assert told("resolved") == []

    is_hot(stack, False)
    next_post(stack, gate, 2)
    for severity in ("danger", "critical", "imminent"):
        stack.wait(lambda: told("resolved", severity), 60, f"the receiver is told of the end of {severity}")
        assert [len(told(status, severity)) for status in ("firing", "resolved")] == [1, 1], severity
    posted = buckets(gate.posts)
    assert len(posted) >= 8 and sorted(set(posted)) == sorted(posted), "a bucket was posted twice"
