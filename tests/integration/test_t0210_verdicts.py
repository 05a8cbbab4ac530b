# SPDX-License-Identifier: MIT
"""For each verdict: what a reader finds in the shared cache, what it answers, and how many calls that costs."""
import contextlib
import pathlib
import re

import pytest
from fcgi_client import Connection
from load import ask
from stack import ROOT, Stack, long_interval

PAGES = ("/", "/heatmap", "/top", "/cost", "/api/v1/fleet", "/heatmap?format=csv")


@pytest.fixture(scope="module")
def running():
    """Idle workers refresh only at the beginning of a bucket: here every call is caused by a request."""
    with Stack(workers=2, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        yield stack


@pytest.fixture
def stack(running):
    """Everything is fresh, and no call of the budget is used."""
    running.redis.delete("tft:budget:fleet", "tft:gate:flush", "tft:brk:fleet")
    wait_fresh(running)
    yield running
    running.upstream.predictions.reset_controls()
    running.upstream.predictions.release()


@contextlib.contextmanager
def held(stack):
    """The upstream holds its answer back during the block."""
    stack.upstream.predictions.hold()
    try:
        yield
    finally:
        stack.upstream.predictions.release()


@contextlib.contextmanager
def calls(stack, expected):
    """Exactly this many upstream calls begin within the block."""
    before = stack.upstream.predictions.count
    yield
    assert stack.upstream.predictions.count - before == expected


def is_fresh(seen):
    return seen.status == 200 and re.match(r"tft-redis; hit; ttl=\d+; key=", seen.cache)


def wait_fresh(stack, path="/"):
    """Waits until both workers are fresh, as far as six answers in a row can show."""
    stack.wait(lambda: all(is_fresh(ask(stack, path)) for _ in range(6)), 20, "fresh answers")


def detail(seen):
    return seen.cache.rpartition("; detail=")[2]


def current(stack):
    return int(stack.redis.hget("tft:cur:fleet", "bucket"))


def entry(stack, route):
    return f"tft:{route}:{current(stack)}"


def grow_old(stack):
    """As if all this had been made in the previous bucket."""
    now = current(stack)
    with stack.redis.pipeline() as batch:
        for key in stack.redis.keys(f"tft:*:{now}"):
            batch.rename(key, key.decode().replace(str(now), str(now - 1)))
        batch.hset("tft:cur:fleet", "bucket", now - 1)
        batch.execute()


def win(stack, path="/"):
    """The answer of the reader that refreshes. A worker that was refused remembers that for a quarter of a second."""
    return stack.wait(lambda: [seen for seen in [ask(stack, path)] if detail(seen) == "REFRESH"], 2, "a claim")[0]


def flush(stack):
    return stack.redis.eval((ROOT / "redis" / "flush.lua").read_text(), 0)


# Fresh

@pytest.mark.parametrize("path", [*PAGES, "/heatmap?profile=db"])
def test_fresh_data_cost_no_call(stack, path):
    with calls(stack, 0):
        seen = [ask(stack, path) for _ in range(6)]
    assert all(map(is_fresh, seen)), seen
    assert len({s.body for s in seen}) == 1
    assert {s.headers["x-tft-bucket"] for s in seen} == {str(current(stack))}


@pytest.mark.parametrize("path", PAGES)
def test_head_has_the_headers_of_get_and_no_body(stack, path):
    with calls(stack, 0):
        whole, head = stack.get(path), stack.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "X-TFT-Bucket", "Vary"):
        assert head.headers.get(name) == whole.headers.get(name), name
    assert is_fresh_status(head.headers["Cache-Status"]) and is_fresh_status(whole.headers["Cache-Status"])


def is_fresh_status(value):
    return re.search(r"tft-redis; hit; ttl=\d+; key=", value)


# Stale

def test_the_first_stale_reader_refreshes_and_the_others_are_told_so(stack):
    with calls(stack, 1):
        old = current(stack) - 1
        with held(stack):
            grow_old(stack)
            first = win(stack)
            assert stack.upstream.predictions.arrived.wait(5)
            others = [ask(stack, path) for path in PAGES]
        assert {detail(seen) for seen in others} == {"BUSY"}
        assert {(seen.status, seen.headers["x-tft-bucket"]) for seen in (first, *others)} == {(200, str(old))}
        assert all(re.search("ttl=-[1-9]", seen.cache) for seen in others)
        wait_fresh(stack)
    assert current(stack) == old + 1


def test_a_stale_reader_by_head_refreshes_too(stack):
    with calls(stack, 1):
        grow_old(stack)
        stack.wait(lambda: "detail=REFRESH" in stack.head("/").headers["Cache-Status"], 2, "a claim")
        wait_fresh(stack)


def test_flushed_data_are_marked_and_refreshed_once(stack):
    with calls(stack, 1):
        with held(stack):
            assert flush(stack)[0] == b"ok"
            first = win(stack)
            assert stack.upstream.predictions.arrived.wait(5)
            others = [ask(stack, path) for path in PAGES]
        assert {detail(seen) for seen in others} == {"FLUSHED"}
        assert {seen.status for seen in (first, *others)} == {200}
        wait_fresh(stack)


def test_a_refusal_is_forgotten_when_data_were_fresh(stack):
    """The same worker asks again at once, without waiting for a refusal to expire."""
    params = {"REQUEST_METHOD": "GET", "DOCUMENT_URI": "/", "QUERY_STRING": "", "TFT_END": "1"}
    epoch = stack.redis.get("tft:epoch:fleet")
    with calls(stack, 1), held(stack), Connection(stack.hosts[0].dir / "fcgi.sock") as worker:
        stack.redis.set("tft:lock:fleet", "stranger|0|0", px=5000)
        stack.redis.set("tft:epoch:fleet", "flushed")
        assert "detail=FLUSHED" in worker.ask(params).headers["cache-status"]
        stack.redis.set("tft:epoch:fleet", epoch)
        stack.redis.delete("tft:lock:fleet")
        assert "detail" not in worker.ask(params).headers["cache-status"]
        stack.redis.set("tft:epoch:fleet", "flushed again")
        worker.ask(params)
        assert stack.upstream.predictions.arrived.wait(2)


def test_after_a_failure_nobody_asks_until_the_breaker_closes(stack):
    stack.upstream.predictions.fail()
    with calls(stack, 1):
        grow_old(stack)
        win(stack)
        stack.wait(lambda: stack.redis.exists("tft:brk:fleet"), what="the failure is known")
        stack.wait(lambda: {detail(ask(stack, path)) for path in PAGES} == {"OPEN"}, what="all know the breaker")
    stack.upstream.predictions.reset_controls()
    with calls(stack, 1):
        stack.redis.delete("tft:brk:fleet")
        wait_fresh(stack)


def test_without_budget_nobody_asks(stack):
    seconds, micros = stack.redis.time()
    stack.redis.delete("tft:budget:fleet")
    stack.redis.lpush("tft:budget:fleet", *[seconds * 1000 + micros // 1000] * 26)
    with calls(stack, 0):
        grow_old(stack)
        stack.wait(lambda: {detail(ask(stack, path)) for path in PAGES} == {"BUDGET"}, 2, "all know the budget")
    with calls(stack, 1):
        stack.redis.delete("tft:budget:fleet")
        wait_fresh(stack)


# Cold

def test_without_data_the_answer_says_so_at_once(stack):
    history = stack.redis.xlen("tfthist:fleet")
    with calls(stack, 1):
        with held(stack):
            stack.redis.unlink(*stack.redis.keys("tft:*"))
            stack.wait(lambda: ask(stack) and stack.upstream.predictions.arrived.is_set(), 2, "a call")
            seen = [ask(stack, path) for path in PAGES]
        assert {s.status for s in seen} == {503}
        assert {s.cache for s in seen} == {"tft-redis; fwd=miss; detail=WARMING"}
        assert all(1 <= int(s.headers["retry-after"]) <= 60 for s in seen)
        wait_fresh(stack)
    assert stack.redis.xlen("tfthist:fleet") == history, "the history has this bucket already"


# An entry that is missing or damaged is a miss: the page is made from the compact snapshot

ROUTES = {"/": "overview", "/heatmap": "heatmap", "/top": "top", "/remediation": "remediation", "/api/v1/fleet": "api-fleet"}


@pytest.mark.parametrize("path", ROUTES)
def test_an_evicted_entry_is_rendered_with_the_same_bytes(stack, path):
    stored = ask(stack, path)
    with calls(stack, 0):
        stack.redis.rename(entry(stack, ROUTES[path]), "aside")
        seen = [ask(stack, path) for _ in range(4)]
        stack.redis.rename("aside", entry(stack, ROUTES[path]))
    assert {(s.body, s.headers["etag"]) for s in seen} == {(stored.body, stored.headers["etag"])}
    assert all(map(is_fresh, seen))


def flipped(data):
    return data[:100] + bytes([data[100] ^ 1]) + data[101:]


CORRUPTIONS = {
    "a bit": lambda fields, other: {form: flipped(fields[form]) for form in (b"body", b"gzip")},
    "the end is missing": lambda fields, other: {form: fields[form][:-1] for form in (b"body", b"gzip")},
    "another page's body": lambda fields, other: {form: other[form] for form in (b"body", b"gzip")},
    "another page": lambda fields, other: other,
    "another build": lambda fields, other: {b"build": b"0"},
    "another snapshot": lambda fields, other: {b"snap": b"0" * 16},
    "another format": lambda fields, other: {b"fmt": b"999"},
    "garbage for the length": lambda fields, other: {b"len": b"nan", b"glen": b""},
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupt_entry_is_a_miss(stack, name):
    """The damaged entry has another title, which would be seen if it were sent."""
    whole, key = ask(stack), entry(stack, "overview")
    fields, other = stack.redis.hgetall(key), stack.redis.hgetall(entry(stack, "heatmap"))
    spoilt = CORRUPTIONS[name](fields, other)
    assert any(fields[field] != value for field, value in spoilt.items())
    with calls(stack, 0):
        stack.redis.hset(key, mapping=spoilt)
        plain = [ask(stack) for _ in range(4)]
        packed = [stack.get("/", headers={"Accept-Encoding": "gzip"}) for _ in range(4)]
    assert {(s.status, s.body) for s in plain} == {(200, whole.body)}
    assert {(a.status_code, a.content) for a in packed} == {(200, whole.body)}
    stack.redis.hset(key, mapping=fields)


# The compact snapshot, from which everything is made that is not stored

FILTERED = "/heatmap?profile=db"


@contextlib.contextmanager
def snapshot_body(stack, bucket, body):
    """During the block, that bucket's snapshot has another body."""
    key = f"tft:fleet:{bucket}"
    whole = stack.redis.hget(key, "body")
    stack.redis.hset(key, "body", body)
    try:
        yield
    finally:
        stack.redis.hset(key, "body", whole)


def test_a_damaged_snapshot_is_replaced_by_the_one_before(stack):
    grow_old(stack)
    win(stack)
    wait_fresh(stack)
    now = current(stack)
    with calls(stack, 0), snapshot_body(stack, now, b"?"):
        seen = [ask(stack, FILTERED) for _ in range(4)]
        with snapshot_body(stack, now - 1, b"?"):
            own = [ask(stack, FILTERED) for _ in range(6)]
    assert {(s.status, s.headers["x-tft-bucket"]) for s in seen} == {(200, str(now - 1))}
    assert all(re.match(r"tft-redis; hit; ttl=-\d+; detail=", s.cache) for s in seen), seen
    # A worker that has kept a snapshot shows it.
    assert all(s.status == 200 if s.cache.startswith("tft-local; hit") else s.status == 503 for s in own), own
    assert any(s.status == 200 for s in own)
    assert ask(stack, FILTERED).headers["x-tft-bucket"] == str(now)


def peak_memory(stack):
    """The peak resident memory of each worker, in KiB."""
    texts = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in stack.worker_pids()]
    return [int(re.search(r"VmHWM:\s*(\d+)", text).group(1)) for text in texts]


def test_a_giant_value_is_a_miss_and_never_received(stack):
    """Redis does not count as down: what does not need that value still works."""
    before = peak_memory(stack)
    with calls(stack, 0), snapshot_body(stack, current(stack), bytes(40 << 20)):
        wait_fresh(stack)  # Redis has received the giant, which on a busy machine takes longer than a page's deadline
        seen = [(ask(stack, FILTERED), ask(stack)) for _ in range(4)]
    assert all(is_fresh(plain) for _, plain in seen), seen
    assert {filtered.status for filtered, _ in seen} <= {200, 503}
    assert max(after - old for old, after in zip(before, peak_memory(stack))) < 32 << 10


@pytest.mark.parametrize("field", ["etag", "type", "says", "len"])
def test_a_giant_field_of_an_entry_costs_its_page_alone_and_is_removed(stack, field):
    """It is rendered from the snapshot from then on; the other pages are hits."""
    key = entry(stack, "overview")
    with calls(stack, 0):
        stack.redis.hset(key, field, bytes(33 << 20))
        stack.wait(lambda: ask(stack).status == 200 and stack.redis.hstrlen(key, field) < 1000, 5, "the giant removed")
        wait_fresh(stack, "/heatmap")
    stack.redis.unlink("tft:cur:fleet")  # the next commit brings the entry back


def test_a_giant_in_the_pointer_is_removed_and_costs_one_call(stack):
    stack.redis.hset("tft:cur:fleet", "snap", bytes(64 << 20))
    with calls(stack, 1):
        stack.wait(lambda: is_fresh(ask(stack)), 10, "a page of a new snapshot")
        wait_fresh(stack)
    assert stack.redis.hstrlen("tft:cur:fleet", "snap") < 1000


# Keys that another program has written

META = ("cur", "lock", "brk", "budget", "epoch")


@pytest.mark.parametrize("what", META)
def test_a_key_of_the_wrong_type_costs_one_call_at_most(stack, what):
    key = f"tft:{what}:fleet"
    with calls(stack, 1):
        grow_old(stack)
        stack.redis.delete(key)
        stack.redis.zadd(key, {"stranger": 1})
        wait_fresh(stack)
    assert stack.redis.type(key) != b"zset"


def hash_of(key, **fields):
    return lambda redis: redis.hset(key, mapping=fields)


GARBAGE = {
    "bucket": hash_of("tft:cur:fleet", bucket="stranger"),
    "bucket of many digits": hash_of("tft:cur:fleet", bucket="9" * 30),
    "pointer": hash_of("tft:cur:fleet", bucket="", epoch="", gen="", snap="", fill=""),
    "breaker": hash_of("tft:brk:fleet", code="stranger", since="nan", open_until="never", n="many"),
    "budget": lambda redis: redis.lpush("tft:budget:fleet", *["stranger"] * 26),
    "lock without end": lambda redis: redis.set("tft:lock:fleet", "stranger"),
    "lock for an hour": lambda redis: redis.set("tft:lock:fleet", "stranger", ex=3600),
    "long epoch": lambda redis: redis.set("tft:epoch:fleet", "e" * 40),
    "empty epoch": lambda redis: redis.set("tft:epoch:fleet", ""),
    "binary epoch": lambda redis: redis.set("tft:epoch:fleet", b"a\0b"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_a_senseless_value_costs_one_call_at_most(stack, name):
    with calls(stack, 1):
        grow_old(stack)
        GARBAGE[name](stack.redis)
        wait_fresh(stack)
    assert not stack.redis.exists("tft:lock:fleet", "tft:brk:fleet")


@pytest.mark.parametrize("bucket", ["stranger", "nan", "9" * 30])
def test_a_commit_is_whole_whatever_the_pointer_says(stack, bucket):
    """The value arrives during the refresh."""
    with calls(stack, 1):
        with held(stack):
            grow_old(stack)
            win(stack)
            assert stack.upstream.predictions.arrived.wait(5)
            stack.redis.hset("tft:cur:fleet", "bucket", bucket)
        wait_fresh(stack)
    assert not stack.redis.exists("tft:lock:fleet")
    assert stack.redis.keys("tft:s:*") == []
    assert all(0 < stack.redis.pttl(entry(stack, route)) for route in ("fleet", *ROUTES.values()))


def test_a_failure_counts_as_the_first_if_the_count_is_not_a_number(stack):
    stack.upstream.predictions.fail()
    with calls(stack, 1):
        grow_old(stack)
        stack.redis.hset("tft:brk:fleet", mapping={"code": "status-5xx", "n": "many", "since": "x"})
        win(stack)
        stack.wait(lambda: stack.redis.hget("tft:brk:fleet", "n") == b"1", what="the failure is counted")
    assert stack.redis.hget("tft:brk:fleet", "code") == b"status-5xx"
    assert stack.redis.hget("tft:brk:fleet", "since").isdigit()
    assert 0 < stack.redis.pttl("tft:brk:fleet") <= 900_000
    assert not stack.redis.exists("tft:lock:fleet")


@pytest.mark.parametrize("gate", ["of another type", "without end", "for an hour"])
def test_a_foreign_gate_does_not_prevent_a_flush(stack, gate):
    if gate == "of another type":
        stack.redis.lpush("tft:gate:flush", "stranger")
    else:
        stack.redis.set("tft:gate:flush", "stranger", ex=3600 if gate == "for an hour" else None)
    with calls(stack, 1):
        assert flush(stack)[0] == b"ok"
        assert flush(stack)[0] == b"limited"
        wait_fresh(stack)
    assert 0 < stack.redis.pttl("tft:gate:flush") <= 5000
