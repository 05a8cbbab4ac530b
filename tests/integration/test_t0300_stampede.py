# SPDX-License-Identifier: MIT
"""Many clients, many workers, three hosts, one Redis: one call for each bucket, and nobody waits for it."""
import pytest
from load import Load, ask, ask_at_once
from stack import Stack

INTERVAL = 5
HOSTS = 3
PATHS = ("/", "/heatmap", "/heatmap?profile=db", "/?profile=web")
CLIENTS = 48


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=4, hosts=HOSTS, interval=INTERVAL, l1=False) as running:
        for host in range(HOSTS):
            running.wait_fleet(host=host)
        yield running


def crowd():
    return [(PATHS[i % len(PATHS)], i % HOSTS) for i in range(CLIENTS)]


def bucket_now(stack):
    return stack.redis.time()[0] // INTERVAL


def committed(stack):
    return int(stack.redis.hget("tft:cur:fleet", "bucket") or -1)


def worker_ms(seen):
    """What the worker spent on an answer, by its own account."""
    timing = seen.headers.get("server-timing", "")
    parts = (part.strip().partition(";dur=") for part in timing.split(","))
    return sum(float(value) for name, _, value in parts if name in ("redis", "render"))


def test_one_call_for_each_bucket_under_load(stack):
    """Three buckets in a row: hot ends of buckets, ticks of idle workers and requests compete."""
    first = bucket_now(stack) + 1
    stack.wait(lambda: committed(stack) >= first, INTERVAL + 2, "the first whole bucket")
    with Load(stack, PATHS, clients=6, hosts=range(HOSTS)) as load:
        stack.wait(lambda: committed(stack) >= first + 3, 4 * INTERVAL, "three more buckets")
    calls = [call.wall // INTERVAL for call in stack.upstream.predictions.calls]
    assert [calls.count(bucket) for bucket in range(first, first + 4)] == [1, 1, 1, 1]
    assert load.lost() == []
    ids = [int(entry.split(b"-")[0]) for entry, _ in stack.redis.xrange("tfthist:fleet")]
    assert [at // (INTERVAL * 1000) for at in ids if at // (INTERVAL * 1000) >= first][:4] == list(range(first, first + 4))
    assert_never_back([seen for seen in load.seen if seen.status == 200])


def assert_never_back(seen):
    """An answer asked for after another one had arrived is of the same bucket or a later one."""
    newest, done = -1, sorted(seen, key=lambda s: s.ended)
    arrived = iter(done)
    last = next(arrived)
    for answer in sorted(seen, key=lambda s: s.began):
        while last and last.ended < answer.began:
            newest = max(newest, int(last.headers["x-tft-bucket"]))
            last = next(arrived, None)
        assert int(answer.headers["x-tft-bucket"]) >= newest, answer


@pytest.mark.parametrize("state", ["stale", "cold"])
def test_crowd_at_once_makes_one_call_and_does_not_wait(stack, state):
    """While the only call is held back everybody gets an answer."""
    predictions = stack.upstream.predictions
    stack.wait(lambda: committed(stack) == bucket_now(stack) and stack.redis.time()[0] % INTERVAL < 2, 10, "a young bucket")
    calls = predictions.count
    predictions.hold()
    try:
        if state == "cold":
            stack.redis.flushdb()
        else:
            stack.redis.set("tft:epoch:fleet", "flushed-by-the-test")
        answers = ask_at_once(stack, crowd())
        stack.wait(lambda: ask(stack) and predictions.arrived.is_set(), 3, "the call")
        answers += ask_at_once(stack, crowd())
        assert predictions.count == calls + 1
        assert {answer.status for answer in answers} == {200 if state == "stale" else 503}
        assert max(worker_ms(answer) for answer in answers) < 300, "a share of a busy machine, not of an upstream call"
        if state == "stale":
            details = {answer.cache.rpartition("detail=")[2] for answer in answers}
            assert details <= {"REFRESH", "FLUSHED"}
            assert sum("REFRESH" in answer.cache for answer in answers) <= 1
    finally:
        predictions.release()
    stack.wait(lambda: committed(stack) == bucket_now(stack) and ask(stack).status == 200, what="fresh data")
    assert predictions.count == calls + 1


def test_all_hosts_send_the_same_bytes(stack):
    """Which host answers, and whether a page was stored or rendered, makes no difference."""

    def same():
        rows = [[ask(stack, path, host) for host in range(HOSTS)] for path in PATHS]
        if len({seen.headers.get("x-tft-bucket") for row in rows for seen in row}) != 1:
            return None
        return rows

    for row in stack.wait(same, what="a round within one bucket"):
        assert len({(seen.status, seen.body, seen.headers["etag"]) for seen in row}) == 1, row
