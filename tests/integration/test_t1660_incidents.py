# SPDX-License-Identifier: MIT
"""Incidents: one record per episode, whichever worker commits, and whatever happens to Redis meanwhile."""
import csv
import io
import json
import re

import pytest

from upstream import payload_bytes

ENDED, MOMENTS = "tfthist:incidents", "tfthist:full"
HOT = "ppetl002"  # the only server of the recorded fleet at Danger or worse
FLEET = json.loads(payload_bytes("predictions_current-healthy-20"))
CALM = json.dumps({**FLEET, "predictions": {name: server for name, server in FLEET["predictions"].items() if name != HOT}}).encode()


@pytest.fixture
def stack(stack_factory, upstream):
    upstream.predictions.body = CALM
    running = stack_factory(upstream=upstream, interval=5, workers=1, hosts=2, l1=False, ahead=0)
    running.wait_fleet()
    return running


def incidents(stack, host=0):
    answer = stack.get("/api/v1/incidents", host=host)
    return answer.json().get("incidents") or [] if answer.status_code == 200 else []


def step_until(stack, predicate, what):
    """From snapshot to snapshot."""
    for _ in range(10):
        stack.next_snapshot()
        if found := predicate():
            return found
    raise AssertionError(f"ten buckets in vain: {what}")


def open_incident(stack, answer):
    """From now on the fleet answers that; returns the first incident that is open then."""
    stack.upstream.predictions.body = answer
    return step_until(stack, lambda: next((found for found in incidents(stack) if found["to"] is None), None), "one is open")


def test_an_episode_is_told_once_by_all_hosts_and_over_a_restart_of_redis(stack):
    assert incidents(stack) == []
    begun = open_incident(stack, json.dumps(FLEET).encode())
    assert (begun["kind"], begun["server"], begun["peak"]["level"]) == ("server", HOT, "Imminent Failure")
    stack.restart_redis()
    stack.next_snapshot()
    stack.wait(lambda: [found["from"] for found in incidents(stack)] == [begun["from"]], what="it goes on over the restart")

    stack.upstream.predictions.body = CALM
    step_until(stack, lambda: stack.redis.xlen(ENDED), "it has ended")
    snap = stack.redis.hget("tft:cur:fleet", "snap")
    stack.redis.set("tft:epoch:fleet", "flushed")  # the same bucket is refreshed once more
    stack.wait(lambda: stack.get("/") and stack.redis.hget("tft:cur:fleet", "snap") != snap, what="made once more")
    stack.next_snapshot()
    assert stack.redis.xlen(ENDED) == 1
    ended = stack.wait(lambda: incidents(stack), what="it is told")
    assert [(found["server"], found["from"], found["peak"]) for found in ended] == [(HOT, begun["from"], begun["peak"])]
    assert ended[0]["to"] > begun["from"] and ended[0]["duration_s"] % 5 == 0
    assert incidents(stack, host=1) == ended

    page = stack.get("/incidents")
    assert page.status_code == 200 and f"server/{HOT}?at=" in page.text and "Ended <b>1</b>" in page.text
    # As it was: open, whatever is known by now.
    then = stack.get("/api/v1/incidents?at=" + begun["peak"]["at"].replace(".000Z", "Z")).json()["incidents"]
    assert [(found["server"], found["from"], found["to"]) for found in then] == [(HOT, begun["from"], None)]
    links = re.findall(f'href="(server/{HOT}\\?at=[^"]*)"', page.text)
    assert len(links) == 3 and all(stack.get("/" + link).status_code == 200 for link in links), links

    table = list(csv.DictReader(io.StringIO(stack.get("/incidents?format=csv").content.decode("utf-8-sig"))))
    assert [(row["kind"], row["server"], row["duration_s"]) for row in table] == [("server", HOT, str(ended[0]["duration_s"]))]
    assert stack.get("/incidents?profile=web").text.count("<th scope=\"row\">") == 0
    assert stack.get("/incidents?range=2d").status_code == 400


def test_deleted_moments_forget_what_was_open_and_double_nothing(stack):
    crowd = {f"hot{i}": FLEET["predictions"][HOT] for i in range(5)}
    begun = open_incident(stack, json.dumps({**FLEET, "predictions": {**FLEET["predictions"], **crowd}}).encode())
    assert begun["kind"] == "environment", "it comes first"
    assert len(incidents(stack)) == 7
    stack.redis.unlink(MOMENTS, "tfthist:thin")
    again = step_until(stack, lambda: [found for found in incidents(stack) if found["from"] > begun["from"]], "it begins anew")
    assert [found["kind"] for found in again] == ["environment", *["server"] * 6]

    # Damage: one line that can be read, of a server that has recovered, and one that cannot.
    (last, _), = stack.redis.xrevrange(MOMENTS, count=1)
    at = int(last.partition(b"-")[0])
    stack.upstream.predictions.body = CALM
    stack.redis.xadd(MOMENTS, {"m": "x", "o": f"nonsense\n1 s {at} 0 0 0 1 800 0 0 gone"}, id=f"{at}-1")
    step_until(stack, lambda: stack.redis.xlen(ENDED), "it has ended")
    stack.next_snapshot()
    assert [found["server"] for found in incidents(stack)] == ["gone"]
    assert f"ev=moment_damaged record=incidents at={at}" in stack.logs()
