# SPDX-License-Identifier: MIT
"""Many clients, many workers, three hosts, one Redis: one call per bucket, and nobody waits for it."""
import shutil

import pytest
from load import Load, ask, ask_at_once
from recorder import Recorder, checker
from stack import BUILD, Stack

INTERVAL = 5
HOSTS = 3
PATHS = ("/", "/heatmap", "/heatmap?profile=db", "/?profile=web", "/api/v1/fleet")
CLIENTS = 48


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=4, hosts=HOSTS, interval=INTERVAL, l1=False) as running:
        for host in range(HOSTS):
            running.wait_fleet(host=host)
        yield running


def crowd():
    return [(PATHS[i % len(PATHS)], i % HOSTS) for i in range(CLIENTS)]


def wait_fresh(stack):
    stack.wait(lambda: stack.committed() == stack.bucket_now() and ask(stack).status == 200, what="fresh data")


def is_quiet(stack):
    """The bucket has its data, the ticks of its first 20 ms are over, and no fetch is running."""
    return stack.committed() == stack.bucket_now() and 1 < stack.seconds_to_bucket() < 4 and not stack.redis.exists("tft:lock:fleet")


def watch_buckets(stack, record, count):
    """Runs clients on all hosts for this many whole buckets."""
    first = stack.committed()
    with Load(stack, PATHS, clients=6, hosts=range(HOSTS), note=record.answer):
        stack.wait(lambda: stack.committed() >= first + count, (count + 1) * INTERVAL, f"{count} more buckets")


def test_one_call_for_each_bucket_under_load(stack, tmp_path):
    """Three buckets in a row, in which the ends of buckets, the ticks of idle workers and requests compete."""
    with Recorder(stack, tmp_path) as record:
        watch_buckets(stack, record, 3)
    assert record.violations() == []


@pytest.mark.parametrize("state", ["stale", "cold"])
def test_crowd_at_once_makes_one_call_and_does_not_wait(stack, state, tmp_path):
    """While the only call is held back, everybody gets an answer."""
    predictions = stack.upstream.predictions
    stack.wait(lambda: stack.committed() == stack.bucket_now() and stack.seconds_to_bucket() > 3, 10, "a young bucket")
    # The bucket has had its call: the flush may cost one more.
    calls = predictions.count
    with Recorder(stack, tmp_path) as record:
        predictions.hold()
        try:
            if state == "cold":
                stack.redis.flushdb()
            else:
                stack.redis.set("tft:epoch:fleet", "flushed-by-the-test")
            answers = record.ask(ask_at_once, crowd())
            stack.wait(lambda: ask(stack) and predictions.arrived.is_set(), 3, "the call")
            answers += record.ask(ask_at_once, crowd())
            assert predictions.count == calls + 1
            assert {answer.status for answer in answers} == {200 if state == "stale" else 503}
            if state == "stale":
                details = {answer.cache.rpartition("detail=")[2] for answer in answers}
                assert details <= {"REFRESH", "FLUSHED"}
                assert sum("REFRESH" in answer.cache for answer in answers) <= 1
        finally:
            predictions.release()
        wait_fresh(stack)
    assert record.violations() == []


def test_all_hosts_send_the_same_bytes(stack):
    """It makes no difference which host answers, or whether a page was stored or rendered."""

    def same():
        rows = [[ask(stack, path, host) for host in range(HOSTS)] for path in PATHS]
        buckets = {seen.headers.get("x-tft-bucket") for row in rows for seen in row}
        return rows if len(buckets) == 1 and None not in buckets else None

    for row in stack.wait(same, what="a round within one bucket"):
        assert len({(seen.status, seen.body, seen.headers["etag"]) for seen in row}) == 1, row


# What the checker says about a dashboard that is broken on purpose, and about a log that was changed

BREAKS = {
    # The lock is always free: two workers refresh at a time.
    b"if left >= 0 and left <= lease then": b"if left >= 0 and left < -1 then",
    # The history has a point for each commit, not for each bucket.
    b"redis.call('XADD', KEYS[5], 'MINID', '~', id_of(now - kept), id_of(now), 'd', arg.record)":
        b"redis.call('XADD', KEYS[5], 'MINID', '~', id_of(now - kept), '*', 'd', arg.record)",
    # Documents never expire.
    b"ARGV, 2))\nredis.call('PEXPIRE', KEYS[1], ARGV[1])": b"ARGV, 2))\nredis.call('EXISTS', KEYS[1])",
    b"redis.call('PEXPIRE', KEYS[i], arg.ttl)": b"redis.call('EXISTS', KEYS[i])",
}  # fmt: skip


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """The program with other lines in its scripts, which are strings in it."""
    program = (BUILD / "tft-dashboard").read_bytes()
    for old, new in BREAKS.items():
        assert program.count(old) == 1
        program = program.replace(old, new.ljust(len(old)))
    (tmp_path / "tft-dashboard").write_bytes(program)
    shutil.copymode(BUILD / "tft-dashboard", tmp_path / "tft-dashboard")
    shutil.copy(BUILD / "tft-fetch", tmp_path)
    (tmp_path / "assets").symlink_to(BUILD / "assets")
    monkeypatch.setattr("stack.BUILD", tmp_path)
    with Stack(workers=3, interval=INTERVAL, l1=False) as stack:
        stack.wait_fleet()
        yield stack


def test_broken_scripts_are_found(broken, tmp_path):
    predictions = broken.upstream.predictions
    broken.redis.delete("tft:budget:fleet")  # only this held them back
    broken.wait(lambda: is_quiet(broken), 3 * INTERVAL, "a quiet moment")
    with Recorder(broken, tmp_path / "record") as record:
        predictions.hold()
        calls, last = predictions.count, broken.committed()
        broken.wait(lambda: predictions.count > calls, 2 * INTERVAL, "a call of the next bucket")
        # Of two that claim in the same instant, one gives up before its call: send one request after the other.
        while predictions.count < calls + 2:
            before = predictions.count
            ask(broken)
            broken.wait(lambda: predictions.count > before, what="a second call")
        predictions.release()
        broken.wait(lambda: broken.committed() > last and record.samples, what="a commit and a look at the keys")
    assert {text.partition(":")[0] for text in record.violations()} >= {"I1", "I8", "I11"}


@pytest.fixture(scope="module")
def scenario(stack, tmp_path_factory):
    """Returns a loader of what really happened in two buckets."""
    wait_fresh(stack)
    with Recorder(stack, tmp_path_factory.mktemp("scenario")) as record:
        watch_buckets(stack, record, 2)
    assert record.violations() == []
    return lambda: checker.load(record.directory)


def last_page(s):
    return checker.pages(s)[-1]


def flush_unseen(s):
    s.faults.append({"t": s.answers[len(s.answers) // 2]["start"], "until": 0, "kind": "flush"})


def swap_ends(s):
    first, last = checker.pages(s)[0], last_page(s)
    for name in ("gen_ms", "bucket"):
        first[name], last[name] = last[name], first[name]


def one_of_two(s):
    """Changes one page of which there is another one with the same data."""
    seen = set()
    for page in checker.pages(s):
        if page["content"] and (page["path"], page["gen_ms"]) in seen:
            return page
        seen.add((page["path"], page["gen_ms"]))
    raise AssertionError("no page was seen twice")


TAMPERINGS = {
    "I0": lambda s: last_page(s).update(status=502, node=None),
    "I1": lambda s: s.calls.append(s.calls[-1]),
    "I2": lambda s: s.calls.extend(s.calls * 15),
    "I3": lambda s: last_page(s).update(gen_ms=last_page(s)["gen_ms"] - 30_000),
    "I4": lambda s: last_page(s).update(gen_ms=last_page(s)["gen_ms"] - 900_000),
    "I5": lambda s: last_page(s).update(worker_ms=301),
    "I6": swap_ends,
    "I7": swap_ends,
    "I8": lambda s: s.history.pop(),
    "I9": flush_unseen,
    "I10": lambda s: last_page(s).update(length=1),
    "I11": lambda s: s.samples[-1]["keys"].update({"tft:overview:1": -1}),
    "I12": lambda s: s.samples[-1].update(workers=[4, 4, 3]),
    "I13": lambda s: s.archive.remove([entry for entry in s.archive if entry["stream"] == "full"][-1]),
    "I14": lambda s: one_of_two(s).update(content="another"),
}


def test_every_invariant_is_tampered_with():
    assert set(TAMPERINGS) == set(checker.INVARIANTS)


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found(scenario, name):
    log = scenario()
    TAMPERINGS[name](log)
    assert list(checker.INVARIANTS[name](log))
