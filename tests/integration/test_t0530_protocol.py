# SPDX-License-Identifier: MIT
"""What the workers and the scripts in Redis agree on, as seen from outside: when the daemon is asked again, and what ends
a claim."""
import pytest
from configured import Configured
from stack import Stack

INTERVAL = 5


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=2, interval=INTERVAL, l1=False, ahead=0) as running:
        running.wait_fleet()
        yield running


def breaker(stack):
    return {key.decode(): value.decode() for key, value in stack.redis.hgetall("tft:brk:fleet").items()}


def test_a_daemon_that_warms_up_is_asked_again_in_every_bucket(stack):
    """It answers, so this is not a failure that would delay the next call by up to a minute."""
    stack.upstream.predictions.load("predictions_current-insufficient-20")
    try:
        for _ in range(4):
            calls = stack.upstream.predictions.count
            stack.leap()
            bucket = stack.bucket_now()
            stack.wait(lambda: stack.get("/") and stack.upstream.predictions.count > calls, what="a call")
            assert stack.bucket_now() <= bucket + 1, "failures in a row would keep them away for longer"
            stack.wait(lambda: not stack.redis.exists("tft:lock:fleet"), what="the end of the refresh")
        assert stack.wait(lambda: breaker(stack).get("code") == "warming-up" and breaker(stack), what="the breaker")["n"] == "0"
    finally:
        stack.upstream.predictions.reset_controls()
    stack.wait_fleet()


def test_an_answer_of_the_daemon_ends_the_wait_for_one_that_could_not_be_reached(stack):
    """A minute of back-off is left, and /status has just been answered: one worker makes one attempt at once."""
    stack.upstream.unlisten()
    try:
        stack.leap()
        stack.wait(lambda: breaker(stack).get("code") == "connection-refused", what="an attempt in vain")
    finally:
        stack.upstream.listen()
    stack.redis.hset("tft:brk:fleet", "open_until", int((stack.redis.time()[0] + 60) * 1000))
    calls, bucket = stack.upstream.predictions.count, stack.committed()
    stack.wait(lambda: stack.get("/advanced").ok and stack.committed() > bucket, what="a commit long before the back-off ends")
    assert stack.upstream.predictions.count == calls + 1


def test_a_status_call_that_hangs_costs_no_refresh():
    """It may take longer than the time limit of the predictions: the lease covers both."""
    with Configured("[upstream]\ntimeout = 1s\nstatus_timeout = 4s\n", workers=2, interval=INTERVAL, l1=False) as stack:
        stack.wait_fleet()
        stack.upstream.warmup.hold()
        try:
            newest = stack.committed()
            stack.wait(lambda: stack.committed() >= newest + 2, 8 * INTERVAL, "two more buckets")
        finally:
            stack.upstream.warmup.release()
        ids = [int(name.partition(b"-")[0]) // (INTERVAL * 1000) for name, _ in stack.redis.xrange("tfthist:fleet")]
        assert ids == list(range(ids[0], ids[0] + len(ids))), "no bucket was left out"
