# SPDX-License-Identifier: MIT
"""New data are seen as soon as they are there, whatever nginx has stored, and a crowd that waits for them asks one by one."""
import concurrent.futures
import contextlib
import time

import pytest
from stack import Stack, to_bucket

INTERVAL = 300


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=3, interval=INTERVAL, direct=True, ahead=to_bucket(INTERVAL)) as running:
        running.wait_fleet()
        yield running


@contextlib.contextmanager
def refreshing(stack):
    """A bucket whose predictions are late: a worker waits for them until the end of the block."""
    stack.upstream.predictions.hold()
    try:
        stack.leap()
        stack.wait(lambda: stack.get("/") and stack.upstream.predictions.arrived.is_set(), what="the call")
        stack.wait(lambda: "detail=BUSY" in stack.get("/").headers["cache-status"], what="a page that knows of it")
        yield
    finally:
        stack.upstream.predictions.release()


def stored(stack):
    """A page that nginx has just stored for the case that workers fail; None: it gave a copy, since it was still storing the page
    before, which a client has when nginx is not yet done with it."""
    answer = stack.get("/")
    return answer if answer.headers["cache-status"].endswith("; stored") else None


def test_no_copy_hides_new_data(stack):
    """Each time a copy has just been stored. It would have lasted until the end of its second."""
    for _ in range(4):
        before = stack.committed()
        with refreshing(stack):
            old = stack.wait(lambda: stored(stack), what="a page that is stored")
            assert int(old.headers["x-tft-bucket"]) == before
        stack.wait(lambda: stack.committed() > before, what="the commit")
        assert int(stack.get("/").headers["x-tft-bucket"]) > before


def ask_together(stack):
    """What two requests get while no worker runs: one of them waits for a worker."""
    pids = stack.worker_pids()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        time.sleep(1 - time.time() % 1)  # a copy is for the second in which it was stored
        stack.get("/")
        for pid in pids:
            stack.pause(pid)
        try:
            both = [pool.submit(stack.get, "/") for _ in range(2)]
            done, _ = concurrent.futures.wait(both, 1, concurrent.futures.FIRST_COMPLETED)
            return [answer.result() for answer in done]
        finally:
            for pid in pids:
                stack.resume(pid)


def test_while_one_request_asks_the_others_get_the_copy(stack):
    with refreshing(stack):
        (copy,) = stack.wait(lambda: ask_together(stack), 60, "a copy while a request is under way")
        assert copy.status_code == 200
        assert copy.headers["cache-status"].endswith("nginx; hit; detail=UPDATING")
        assert copy.headers["age"].isdecimal()
        assert int(copy.headers["x-tft-bucket"]) == stack.committed()


def test_what_will_not_change_is_kept_for_a_second(stack):
    """The daemon refuses: no new data come before the next attempt."""
    stack.upstream.predictions.fail()
    stack.leap()
    stack.wait(lambda: "detail=OPEN" in stack.get("/heatmap").headers["cache-status"], what="the failure")
    stack.wait(lambda: stack.get("/heatmap").headers["cache-status"].endswith("nginx; hit"), what="a hit of L1")
    stack.upstream.predictions.reset_controls()
