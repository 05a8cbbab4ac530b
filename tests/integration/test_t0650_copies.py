# SPDX-License-Identifier: MIT
"""nginx never shows a copy for longer than it is true: not in place of a refusal, and not while all workers are dead."""
import json
import time

import fcgi_client
import pytest
from stack import Stack, to_bucket

FORMS = ("/", "/heatmap", "/api/v1/fleet", "/?format=json", "/heatmap?format=csv", "/badge/fleet.svg", "/server/ppml0001")
MAX_STALE, ACT_LIMIT = 3600, 600
INTERVAL = 300  # twice of it is the limit, too: until then nothing seems wrong, on no page


@pytest.fixture(scope="module")
def stack():
    """The interval is so long that nothing is refreshed unless a test causes it."""
    with Stack(workers=1, interval=INTERVAL, ahead=to_bucket(INTERVAL)) as running:
        running.wait_fleet()
        yield running


def stop_workers(stack):
    (workers,) = stack.hosts[0].workers
    assert workers.stop()


@pytest.fixture
def workers(stack):
    """Stops them during the block; they run again afterwards."""
    yield stack
    if not stack.hosts[0].workers[0].alive():
        (stack.hosts[0].dir / "fcgi.sock").unlink(missing_ok=True)
        stack.start_workers(stack.hosts[0])
    stack.wait(lambda: stack.get("/healthz").status_code == 200, what="a worker")


def grow_old(stack, age):
    """As if the data had been requested this many seconds ago. Returns that time."""
    seconds, micros = stack.redis.time()
    gen = seconds + micros / 1e6 - age
    stack.redis.hset("tft:cur:fleet", "gen", int(gen * 1000))
    return gen


def worker_says(stack, path="/"):
    params = {"REQUEST_METHOD": "GET", "DOCUMENT_URI": path, "TFT_END": "1"}
    return fcgi_client.request(stack.hosts[0].dir / "fcgi.sock", params).status


def statuses(stack):
    return {path: stack.get(path).status_code for path in FORMS}


def ages(stack):
    return [int(stack.get(path).headers.get("age", 0)) for path in FORMS]


def all_of(status):
    return dict.fromkeys(FORMS, status)


def test_what_the_worker_has_withdrawn_no_copy_brings_back(stack):
    grow_old(stack, MAX_STALE - 3)
    assert statuses(stack) == all_of(200)
    stack.wait(lambda: worker_says(stack) == 503, what="the data are too old")
    time.sleep(1.1)  # what L1 stores on its own, and how long it says that it does
    assert statuses(stack) == all_of(503)


@pytest.mark.parametrize("limit", [ACT_LIMIT, MAX_STALE])
def test_with_all_workers_dead_a_copy_ends_with_what_it_says(workers, limit):
    """Up to 600 s these data seem current; up to 3600 s they are marked."""
    stack = workers
    deadline = grow_old(stack, limit - 15) + limit
    stack.wait(lambda: min(ages(stack)) >= limit - 15, 5, "copies, none of them from before")
    stop_workers(stack)
    stack.wait(lambda: "detail=STALE" in stack.get("/").headers["cache-status"], 3, "a copy in place of a worker")
    for path in FORMS:
        copy = stack.get(path)
        assert (copy.status_code, copy.headers.get("age")) == (200, None), path
        assert "no-store" in copy.headers["cache-control"], path
    stack.wait(lambda: statuses(stack) == all_of(502), 15, "the end of the copies")
    assert stack.redis.time()[0] < deadline
    refused = stack.get("/api/v1/fleet")
    assert refused.headers["content-type"] == "application/problem+json" and refused.json()["status"] == 502


def test_what_knows_no_age_has_no_copy(workers):
    stack = workers
    assert stack.get("/api/v1/status").status_code == 200
    stop_workers(stack)
    stack.wait(lambda: stack.get("/api/v1/status").status_code == 502, 3, "no worker")


def test_a_copy_does_not_hide_that_a_server_is_gone(stack, payload):
    stack.redis.flushdb()
    stack.wait_fleet()
    pages = "/server/ppml0001", "/api/v1/servers/ppml0001"
    assert {stack.get(path).status_code for path in pages} == {200}
    fleet = json.loads(payload("predictions_current-critical-20.json.gz"))
    del fleet["predictions"]["ppml0001"]
    stack.upstream.predictions.body = json.dumps(fleet).encode()
    stack.redis.flushdb()
    stack.wait(lambda: len(stack.wait_fleet()["servers"]) == 19, what="the next snapshot")
    time.sleep(1.1)  # what L1 stores on its own
    for path in pages:
        gone = stack.get(path)
        assert gone.status_code == 404 and gone.headers["cache-control"] == "no-store"
        assert "No such server" in gone.text
