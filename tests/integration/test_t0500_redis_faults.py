# SPDX-License-Identifier: MIT
"""Every fault of Redis: no request waits for it, no wrong byte is shown, and everything recovers soon."""
import concurrent.futures
import json
import random
import re
import shutil
import signal
import time

import pytest
from load import Load, ask
from proxy import ProxiedStack
from recorder import checker
from stack import ROOT, Stack, free_port, long_interval

INTERVAL = 5
RECOVERY = 20  # one bucket, and the second for which Redis counts as down at most, and room for a busy machine
PATHS = ("/", "/heatmap", "/heatmap?profile=db", "/healthz")


@pytest.fixture(scope="module")
def running():
    with ProxiedStack(workers=2, interval=INTERVAL, l1=False, ahead=0) as stack:
        stack.wait_fleet()
        bucket = stack.committed()
        stack.wait(lambda: stack.committed() > bucket, 30, "a bucket at whose start both workers look")
        yield stack


@pytest.fixture
def stack(running):
    """Healthy before the test, and again in the bucket after it."""
    wait_healthy(running)
    yield running
    recover(running)


@pytest.fixture
def silent():
    """Its log is still empty; a repeated event is logged only once a minute."""
    with ProxiedStack(workers=2, interval=INTERVAL, l1=False, ahead=0) as stack:
        stack.wait_fleet()
        yield stack


@pytest.fixture(scope="module")
def calm():
    """Nothing is refreshed here unless a test causes it."""
    with ProxiedStack(workers=2, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        yield stack


def is_fresh(seen):
    return seen.status == 200 and seen.cache.startswith("tft-redis; hit; ttl=") and "detail" not in seen.cache


def wait_healthy(stack):
    stack.wait(lambda: all(is_fresh(ask(stack)) for _ in range(6)), RECOVERY, "all pages fresh from the shared cache")


def recover(stack):
    """All is well in the next bucket at the latest."""
    stack.leap()
    wait_healthy(stack)


def wait_cache_off(stack):
    """Waits for both workers: each has 3 s from its first request, then it fetches without Redis."""

    def off():
        seen = ask(stack)
        return seen.status == 200 and seen.cache.startswith("tft-local; hit") and b"Shared cache off" in seen.body

    stack.wait(lambda: all(off() for _ in range(6)), 30, "pages of the workers' own snapshots")


def refresh(stack):
    """Makes the cached data stale, as a flush does, and waits for the next snapshot."""
    before = stack.redis.hget("tft:cur:fleet", "snap")
    stack.redis.set("tft:epoch:fleet", "%d" % time.time_ns())
    # A test may start Redis again meanwhile.
    stack.wait(
        lambda: ask(stack) and stack.redis_answers() and stack.redis.hget("tft:cur:fleet", "snap") != before,
        RECOVERY,
        "the next snapshot",
    )


# Redis that cannot be used at all

OUTAGES = {
    "killed": (lambda s: s.stop_redis(signal.SIGKILL), lambda s: s.restart_redis()),
    "hung": (lambda s: s.pause(s.redis_service.pid), lambda s: s.resume(s.redis_service.pid)),
    "slow": dict(latency=0.5),
    "one byte in 80 ms": dict(latency=0.08, piece=1),
    "reset in a reply": dict(cut=300, reset=True),
    "not Redis": dict(replace=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
}


def spoil(stack, fault):
    if isinstance(fault, tuple):
        fault[0](stack)
        return
    for name, value in fault.items():
        setattr(stack.proxy, name, value)


def repair(stack, fault):
    if isinstance(fault, tuple):
        fault[1](stack)
    else:
        stack.proxy.heal()


def without_silence(servers):
    """The upstream repeats itself: after a minute that is told."""
    return [{**server, "silent_since": None} for server in servers]


@pytest.mark.parametrize("name", OUTAGES)
def test_outage_is_bounded_told_and_survived(stack, name):
    servers = without_silence(stack.wait_fleet()["servers"])
    calls = stack.upstream.predictions.count
    history = stack.redis.xlen("tfthist:fleet")
    # A worker that is publishing when Redis stops answering is busy for 2 s; of two workers that would be half.
    stack.next_snapshot()
    try:
        with Load(stack, PATHS, clients=2) as load:
            spoil(stack, OUTAGES[name])
            wait_cache_off(stack)
            own = stack.wait(lambda: (seen := ask(stack, "/api/v1/fleet")).status == 200 and seen, what="the API's own snapshot")
        # Some batches, each of which waits for Redis; not while others measure how long they wait.
        age = re.search(r"^tft_dashboard_snapshot_age_seconds (\d+)$", stack.get("/metrics").text, re.M)
        assert not age or int(age[1]) < 3600, "the age of our own snapshot, if that of a worker that has one"
    finally:
        repair(stack, OUTAGES[name])
    calls = stack.upstream.predictions.count - calls
    # P2 is about the worker; a viewer may also wait for the one before him.
    spent = [seen.worker_ms for seen in load.seen if seen.worker_ms is not None]
    assert spent and max(spent) < 300, max(spent, default=None)
    assert load.slowest().took < 1, load.slowest()
    assert {seen.status for seen in load.seen} <= {200, 503}
    assert own.cache.startswith("tft-local; hit; ttl=")
    assert without_silence(json.loads(own.body)["servers"]) == servers
    # At most one from each worker, and the refresh that may have been under way.
    assert calls <= 3
    recover(stack)
    assert stack.redis.xlen("tfthist:fleet") >= history


def test_empty_redis_does_not_take_away_what_a_worker_has():
    """Until the first commit, a worker's own snapshot is shown, even if the daemon has just failed."""
    with Stack(workers=1, interval=INTERVAL, l1=False) as stack:
        stack.wait_fleet()
        stack.stop_redis(signal.SIGKILL)
        shutil.rmtree(stack.redis_socket.parent / "appendonlydir")
        wait_cache_off(stack)
        stack.upstream.predictions.fail()
        stack.restart_redis()
        stack.wait(lambda: ask(stack) and stack.redis.exists("tft:brk:fleet"), RECOVERY, "a failed attempt")
        assert stack.committed() == -1
        seen = [ask(stack, path) for path in ("/", "/heatmap?profile=db") * 3]
        assert {(s.status, s.cache.partition(";")[0]) for s in seen} == {(200, "tft-local")}, seen
        stack.upstream.predictions.reset_controls()
        wait_healthy(stack)


def test_one_worker_of_a_host_at_a_time_fetches_for_itself(silent):
    """Without Redis and with a daemon that hangs, the other workers keep answering."""
    predictions = silent.upstream.predictions
    silent.stop_redis(signal.SIGKILL)
    predictions.hold()
    try:
        silent.wait(lambda: ask(silent) and predictions.arrived.is_set(), what="a call")
        calls = predictions.count
        assert max(ask(silent, path).took for path in PATHS * 5) < 1, "nobody waits for the daemon"
        assert predictions.count == calls
    finally:
        predictions.release()
    wait_cache_off(silent)


@pytest.mark.parametrize("seconds", [0.005, 0.04])
def test_slow_redis_within_the_deadline_is_used(stack, seconds):
    stack.proxy.latency = seconds
    wait_healthy(stack)
    refresh(stack)

    def all_from_redis():
        with Load(stack, PATHS, clients=2) as load:
            stack.wait(lambda: len(load.seen) > 60, what="answers")
        return not load.failed() and not [seen for seen in load.seen if "tft-local" in seen.cache]

    # More than once: a busy machine may add what is missing to the deadline.
    assert any(all_from_redis() for _ in range(5))
    stack.proxy.latency = 0


def test_machine_that_stood_still_does_not_make_redis_down(calm):
    """Workers are stopped from their request until the deadline of 100 ms has passed; then they continue, and the reply
    arrives."""

    def stand_still():
        for pid in calm.worker_pids():
            calm.pause(pid)
        end = time.monotonic() + 0.2
        calm.wait(lambda: time.monotonic() > end, what="the deadline has passed")
        for pid in calm.worker_pids():
            calm.resume(pid)

    def page():
        calm.proxy.before = b"tft:cur:fleet", stand_still
        return ask(calm)

    # More than once: on a busy machine the deadline may have passed before the workers were stopped.
    assert any(is_fresh(page()) for _ in range(5))


# Connections that end although Redis is healthy

def end_connections(stack):
    """Redis closes a killed connection a moment after it has said so."""
    mine = stack.redis.client_id()
    old = {client["id"] for client in stack.redis.client_list(_type="normal")} - {str(mine)}
    stack.redis.client_kill_filter(_type="normal", skipme=True)
    stack.wait(lambda: not old & {client["id"] for client in stack.redis.client_list(_type="normal")}, 20, "they are closed")


def test_lost_connections_cost_no_request():
    """The next request notices before it sends anything. Without the proxy, whose own close comes a moment later."""
    with Stack(workers=2, interval=INTERVAL, l1=False) as stack:
        stack.wait_fleet()
        history = stack.redis.xlen("tfthist:fleet")
        for end in (lambda: end_connections(stack), stack.restart_redis) * 3:
            end()
            assert {ask(stack, path).status for path in PATHS} <= {200, 503}
        # An idle worker may be in the middle of a question of its own; if requests did not notice, each of the six ends would cost one.
        assert len(re.findall(r"ev=redis_down .*(closed|reset|[Bb]roken)", stack.logs())) <= 2
        wait_healthy(stack)
        assert stack.redis.xlen("tfthist:fleet") >= history > 0


def test_reply_that_belongs_to_nothing_spoils_at_most_its_own_request(calm):
    overview, heatmap = ask(calm, "/").body, ask(calm, "/heatmap").body
    for extra in (b"+OK\r\n", b"*2\r\n$1\r\n1\r\n$1\r\n2\r\n", b"$-1\r\n"):
        calm.proxy.extra = extra
        seen = [ask(calm, path) for path in ("/", "/heatmap") * 6]
        assert {s.status for s in seen} <= {200, 503}, seen
        assert {(s.path, s.body) for s in seen if is_fresh(s)} <= {("/", overview), ("/heatmap", heatmap)}
        calm.wait(lambda: all(is_fresh(ask(calm)) for _ in range(6)), RECOVERY, "fresh again")


def test_scripts_are_loaded_again(stack):
    for _ in range(2):
        stack.redis.script_flush()
        refresh(stack)


# Redis that refuses

def test_changed_password_is_told_without_the_password(silent):
    stack = silent
    stack.redis.execute_command("ACL", "SETUSER", "tft", "resetpass", ">another")
    stack.redis.client_kill_filter(_type="normal", skipme=True)
    try:
        wait_cache_off(stack)
    finally:
        stack.redis.execute_command("ACL", "SETUSER", "tft", "resetpass", ">" + stack.password)
    assert re.search(r"ev=redis_down .*WRONGPASS", stack.logs())
    wait_healthy(stack)
    assert stack.password not in stack.logs()


def test_forbidden_reads_count_as_an_outage(silent):
    stack = silent
    stack.redis.execute_command("ACL", "SETUSER", "tft", "-hmget", "-time")
    try:
        wait_cache_off(stack)
    finally:
        stack.redis.execute_command("ACL", "SETUSER", "tft", "+hmget", "+time")
    assert re.search(r"ev=redis_\w+ .*NOPERM", stack.logs())


def forbidding(command):
    return (
        lambda s: s.redis.execute_command("ACL", "SETUSER", "tft", "-" + command),
        lambda s: s.redis.execute_command("ACL", "SETUSER", "tft", "+" + command),
        "does not permit it",
    )


def configure(stack, *lines, empty=False):
    """Restarts Redis with these lines at the end of its configuration."""
    config = stack.redis_socket.parent.parent / "etc" / "redis.conf"
    own = config.read_text().partition("# of a test\n")[0]
    config.write_text("\n".join([own + "# of a test", *lines, ""]))
    stack.stop_redis()
    if empty:
        shutil.rmtree(stack.redis_socket.parent / "appendonlydir")
    stack.restart_redis()


def cluster():
    return "cluster-enabled yes", f"port {free_port()}", f"cluster-port {free_port()}", "bind 127.0.0.1"


def add_slots(stack):
    """All 16,384 slots, except those that a node takes at its start because it has keys in them."""
    taken = {slot for first, last, *_ in stack.redis.execute_command("CLUSTER", "SLOTS") for slot in range(first, last + 1)}
    stack.redis.execute_command("CLUSTER", "ADDSLOTS", *(set(range(16384)) - taken))
    stack.wait(lambda: b"cluster_state:ok" in stack.redis.execute_command("CLUSTER", "INFO"), what="the node is up")


def renaming(command):
    return lambda s: configure(s, f'rename-command {command} ""'), lambda s: configure(s), "lacks a command that a refresh needs"


REFUSALS = {
    "read-only": (lambda s: s.redis.replicaof("127.0.0.1", 1), lambda s: s.redis.replicaof("NO", "ONE"), "is a read-only replica"),
    "out of memory": (
        lambda s: (s.redis.config_set("maxmemory-policy", "noeviction"), s.redis.config_set("maxmemory", 1)),
        lambda s: (s.redis.config_set("maxmemory", "256mb"), s.redis.config_set("maxmemory-policy", "volatile-lru")),
        "has no memory left",
    ),
    "no scripts": forbidding("evalsha"),
    "no expiry, which each script comes to after it has written something": forbidding("pexpire"),
    "no renaming, which the commit alone needs": forbidding("rename"),
    "a node of a cluster with all slots": (
        lambda s: (configure(s, *cluster()), add_slots(s)),
        lambda s: configure(s),
        "is a node of a cluster",
    ),
    "a node of a cluster without slots": (
        lambda s: configure(s, *cluster(), empty=True),
        lambda s: configure(s),
        "is a node of a cluster",
    ),
    "EVALSHA is renamed": renaming("EVALSHA"),
    "SCRIPT is renamed": renaming("SCRIPT"),
}
READS_NOTHING = "a node of a cluster without slots"


@pytest.mark.parametrize("name", REFUSALS)
def test_a_redis_that_takes_nothing_is_named_and_each_worker_goes_on_alone(stack, name):
    """It answers, so nothing else would report it: the pages would grow old for ever, and blame the daemon."""
    refuse, allow, words = REFUSALS[name]
    try:
        refuse(stack)
        told = stack.logs().count("ev=redis_refused")
        with Load(stack, PATHS, clients=2) as load:
            # Several times, so that both workers are asked each of it.
            stack.wait(lambda: all(is_alone(stack, words) and is_named(stack, words) for _ in range(4)), 30, "own snapshots, and the reason")
        assert load.failed() == []
        up = b"\ntft_dashboard_redis_up %d\n" % (name != READS_NOTHING)
        stack.wait(lambda: up in ask(stack, "/metrics").body, what=up.decode())
        assert stack.logs().count("ev=redis_refused") - told <= 6, "each worker says when it begins, not at each request"
    finally:
        allow(stack)
    recover(stack)
    stack.wait(lambda: b"\ntft_dashboard_redis_writable 1\n" in ask(stack, "/metrics").body, what="all is well")


def is_alone(stack, words):
    seen = ask(stack)
    return seen.status == 200 and seen.cache.startswith("tft-local; hit; ttl=") and words in seen.body.decode()


def is_named(stack, words):
    return (
        json.loads(ask(stack, "/readyz").body)["checks"]["redis"] == "warn"
        and json.loads(ask(stack, "/api/v1/status").body)["cache"]["redis"] == "refuses"
        and b"\ntft_dashboard_redis_writable 0\n" in ask(stack, "/metrics").body
        and words in ask(stack, "/advanced").body.decode()
    )


def test_refused_writes_leave_the_pages(stack):
    """Until the first worker goes on without it, they are those of the shared cache, marked."""
    stack.next_snapshot()
    snap = stack.redis.hget("tft:cur:fleet", "snap")
    stack.redis.replicaof("127.0.0.1", 1)
    stack.leap()
    try:
        with Load(stack, PATHS, clients=2) as load:
            stack.wait(lambda: "ttl=-1" in ask(stack).cache, RECOVERY, "a stale page")
        assert load.failed() == []
        assert stack.redis.hget("tft:cur:fleet", "snap") == snap
    finally:
        stack.redis.replicaof("NO", "ONE")


def test_no_page_is_missing_while_redis_goes_and_comes(stack):
    """Pages that nginx does not keep: from the first moment on each worker shows what it last saw, and keeps it."""
    stack.wait(lambda: all(is_fresh(ask(stack, path)) for path in PATHS[:3] for _ in range(6)), what="each worker has seen them")
    with Load(stack, PATHS, clients=3) as load:
        for seconds_up in (2, 0):
            stack.proxy.refuse = True
            stack.proxy.sever()
            wait_cache_off(stack)
            stack.proxy.heal()
            end = time.monotonic() + seconds_up
            stack.wait(lambda: time.monotonic() > end, 3, "up for a moment")
    assert load.failed() == [], "a snapshot was there all the time"
    assert any(seen.cache.startswith("tft-local") for seen in load.seen)


def test_eviction_of_all_pages_ends_with_the_pressure(stack):
    history = stack.redis.xlen("tfthist:fleet")
    stack.redis.config_set("maxmemory", 1)
    stack.leap()
    try:
        stack.wait(lambda: ask(stack) and not stack.redis.keys("tft:overview:*"), RECOVERY, "eviction")
        assert {ask(stack, path).status for path in PATHS} <= {200, 503}
    finally:
        stack.redis.config_set("maxmemory", "256mb")
    wait_healthy(stack)
    assert stack.redis.xlen("tfthist:fleet") >= history


# Damaged keys

def spoil_type(redis, key):
    """The same name without expiry, but of an unexpected type."""
    wrong = redis.lpush if redis.type(key) != b"list" else lambda k, v: redis.hset(k, v, v)
    redis.delete(key)
    wrong(key, "stranger")


def test_wrong_types_heal(stack):
    types = {key: stack.redis.type(key) for key in stack.redis.keys("tft:*:fleet")}
    assert {b"tft:cur:fleet", b"tft:epoch:fleet", b"tft:budget:fleet", b"tft:calls:fleet"} <= types.keys()
    names = list(stack.redis.keys("tft:*")) + [b"tft:lock:fleet", b"tft:brk:fleet", b"tft:gate:flush"]
    for key in names:
        spoil_type(stack.redis, key)
    assert {ask(stack, path).status for path in PATHS} <= {200, 503}
    wait_healthy(stack)
    stack.wait(lambda: {key: stack.redis.type(key) for key in types} == types, RECOVERY, "the right types")
    flush(stack)
    assert 0 < stack.redis.pttl("tft:gate:flush") <= 5000


def entry(redis, route):
    return b"tft:%s:%s" % (route, redis.hget("tft:cur:fleet", "bucket"))


def flip_a_bit(redis, key, field):
    value = bytearray(redis.hget(key, field))
    value[random.randrange(len(value))] ^= 1 << random.randrange(8)
    redis.hset(key, field, bytes(value))


CORRUPTIONS = {
    "one bit": lambda r, key: [flip_a_bit(r, key, field) for field in (b"body", b"gzip")],
    "truncated": lambda r, key: [r.hset(key, f, r.hget(key, f)[:-1]) for f in (b"body", b"gzip")],
    "empty": lambda r, key: r.hset(key, mapping={b"body": b"", b"gzip": b""}),
    "body of another route": lambda r, key: r.hset(key, "body", r.hget(entry(r, b"heatmap"), "body")),
    "another route's entry": lambda r, key: (r.delete(key), r.copy(entry(r, b"heatmap"), key)),
    "old format": lambda r, key: r.hset(key, mapping={"fmt": "0", "body": "old", "gzip": "old"}),
    "another build": lambda r, key: r.hset(key, mapping={"build": "0", "body": "old", "gzip": "old"}),
    "another snapshot": lambda r, key: r.hset(key, mapping={"snap": "0" * 16, "body": "old", "gzip": "old"}),
    "long etag": lambda r, key: r.hset(key, "etag", "e" * 1000),
    "no fields": lambda r, key: r.hdel(key, *r.hkeys(key)[1:]),
    "gone": lambda r, key: r.delete(key),
}


def test_commit_between_two_looks_is_noticed(calm):
    """The second read finds the snapshot of another pointer: nobody gets older data, or a message that there are none."""
    bucket = calm.redis.hget("tft:cur:fleet", "bucket").decode()

    def commit():
        for key in ("tft:cur:fleet", f"tft:fleet:{bucket}"):
            calm.redis.hset(key, "snap", "0123456789abcdef")

    calm.proxy.before = b"HSTRLEN", commit
    seen = ask(calm, "/heatmap?profile=db")
    assert calm.proxy.before is None
    assert (seen.status, seen.headers["x-tft-bucket"]) == (200, bucket)
    refresh(calm)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_spoilt_page_is_made_anew(calm, name):
    """The page says the same: it is rendered from the compact snapshot."""
    key = entry(calm.redis, b"overview")
    whole, good = ask(calm, "/"), calm.redis.hgetall(key)
    assert whole.status == 200 and b"<h1" in whole.body
    CORRUPTIONS[name](calm.redis, key)
    try:
        plain = [ask(calm, "/") for _ in range(4)]
        packed = [calm.get("/", headers={"Accept-Encoding": "gzip"}) for _ in range(4)]
        assert {(s.status, s.body) for s in plain} == {(200, whole.body)}
        assert {(a.status_code, a.content) for a in packed} == {(200, whole.body)}
    finally:
        calm.redis.delete(key)
        calm.redis.hset(key, mapping=good)


SNAPSHOTS = {
    "one bit": lambda r, key: flip_a_bit(r, key, b"body"),
    "noise": lambda r, key: r.hset(key, "body", random.Random(1).randbytes(5000)),
    "gone": lambda r, key: r.delete(key),
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_spoilt_snapshot_is_not_shown_and_heals(stack, name):
    """Pages that need it are missing until the next bucket; stored pages are not affected."""
    stack.next_snapshot()
    key = entry(stack.redis, b"fleet")
    SNAPSHOTS[name](stack.redis, key)
    seen = [ask(stack, "/heatmap?profile=db") for _ in range(4)]
    assert {s.status for s in seen} <= {200, 503}, seen
    stack.next_snapshot()
    stack.wait(lambda: all(ask(stack, "/heatmap?profile=db").status == 200 for _ in range(6)), RECOVERY, "filtered pages")


# Flushing, three ways

def flush(stack):
    return stack.redis.eval((ROOT / "redis" / "flush.lua").read_text(), 0)


def delete_all(stack):
    stack.redis.unlink(*stack.redis.keys("tft:*"))


WAYS = {"script": flush, "deletion": delete_all, "FLUSHDB": lambda s: s.redis.flushdb()}


@pytest.mark.parametrize("way", WAYS)
def test_flush_costs_one_call_and_shows_nothing_old_as_fresh(calm, way):
    calm.redis.delete("tft:gate:flush")
    calls, history = calm.upstream.predictions.count, calm.redis.xlen("tfthist:fleet")
    calm.upstream.predictions.hold()
    seconds, micros = calm.redis.time()
    WAYS[way](calm)
    with Load(calm, ("/", "/heatmap?profile=db"), clients=2) as load:
        assert calm.upstream.predictions.arrived.wait(20)
        held = len(load.seen)
        calm.wait(lambda: len(load.seen) > held + 20, what="answers while the daemon computes")
        calm.upstream.predictions.release()
        calm.wait(lambda: is_fresh(ask(calm)), what="fresh pages")
    assert calm.upstream.predictions.count == calls + 1
    fresh = [seen for seen in load.seen if is_fresh(seen)]
    begun = seconds + micros / 1e6
    generated = float(calm.redis.hget("tft:cur:fleet", "gen")) / 1000
    assert generated >= begun - 0.001
    assert [seen for seen in fresh if seen.began < calm.upstream.predictions.calls[-1].at] == []
    marked = [seen for seen in load.seen if not is_fresh(seen)]
    assert marked
    if way == "script":
        assert {seen.status for seen in load.seen} == {200}
        assert all("detail=" in seen.cache for seen in marked)
    else:
        assert {seen.status for seen in marked} == {503}
    assert calm.redis.xlen("tfthist:fleet") == (history if way != "FLUSHDB" else 1)


@pytest.mark.parametrize("way", WAYS)
def test_refresh_that_began_before_a_flush_is_not_published(calm, way):
    refresh(calm)
    calm.redis.delete("tft:gate:flush")
    calls = calm.upstream.predictions.count
    calm.upstream.predictions.hold()
    calm.redis.set("tft:epoch:fleet", "before")
    try:
        calm.wait(lambda: ask(calm) and calm.upstream.predictions.arrived.is_set(), what="a call")
        old = calm.redis.get("tft:lock:fleet").split(b"|")[0]
        WAYS[way](calm)
    finally:
        calm.upstream.predictions.release()
    calm.wait(lambda: is_fresh(ask(calm)), what="fresh pages")
    assert not old.startswith(calm.redis.hget("tft:cur:fleet", "snap"))
    assert calm.upstream.predictions.count == calls + 2
    assert calm.redis.keys("tft:s:%s:*" % old.decode()) == []


def test_keys_without_expiry_are_a_closed_list(calm):
    assert {key.decode() for key in calm.redis.keys("*") if calm.redis.pttl(key) == -1} <= checker.ENDLESS


# How long Redis counts as down


@pytest.fixture
def single():
    """One worker, so that each failure follows the previous one of the same worker."""
    with ProxiedStack(workers=1, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        yield stack


def test_short_stall_is_over_soon(single):
    ask(single)  # after the worker has kept the snapshot of the previous request
    single.pause(single.redis_service.pid)
    seen = ask(single)
    assert (seen.status, seen.cache.partition(";")[0]) == (200, "tft-local"), "one batch missed its deadline"
    assert b"Shared cache off" not in seen.body, "nobody says so for a moment's stall"
    single.resume(single.redis_service.pid)
    fresh = []
    for _ in range(20):
        fresh.append(is_fresh(ask(single)))
        time.sleep(0.05)  # at this rate, their number is also a time
    assert fresh[-1]
    assert fresh.count(False) <= 8, fresh


def test_long_outage_costs_an_attempt_a_second(single):
    def after(attempts):
        return single.wait(lambda: ask(single) and single.proxy.connections >= attempts and time.monotonic(), what="attempts to connect")

    before = single.proxy.connections
    single.proxy.refuse = True
    single.proxy.sever()
    began = after(before + 5)
    assert after(before + 8) - began > 2, "three times 0.8 s at least"


# Publishing while Redis goes and comes

def lose_an_answer(proxy):
    """The command arrives, its answer does not; the next connection works."""

    def mend():
        proxy.cut = None

    proxy.cut = 1
    proxy.before = b"AUTH", mend


# A program that a thread has started ends with it (Service), so this one stays.
STARTER = concurrent.futures.ThreadPoolExecutor(1)


def restart(stack):
    stack.stop_redis()
    STARTER.submit(stack.restart_redis)


STAGE = b"\r\n30000\r\n$3\r\nfmt\r\n"  # the time to live of a staged key, and its first field
CUTS = {
    "stage, connection lost": (STAGE, lambda s: s.proxy.sever()),
    "stage, answer lost": (STAGE, lambda s: lose_an_answer(s.proxy)),
    "commit, connection lost": (b"tfthist:hours", lambda s: s.proxy.sever()),
    "commit, answer lost": (b"tfthist:hours", lambda s: lose_an_answer(s.proxy)),
    "stage, restart": (STAGE, restart),
}


def test_lock_of_a_failed_refresh_ends_with_the_outage(silent):
    """The lock survives a restart of Redis, and would block all calls for the rest of the lease."""
    predictions = silent.upstream.predictions
    predictions.hold()
    try:
        silent.leap()
        silent.wait(lambda: ask(silent) and predictions.arrived.is_set(), what="a call")
        silent.stop_redis()
    finally:
        predictions.release()
    silent.wait(lambda: "ev=refresh_failed" in silent.logs(), what="a refresh in vain")
    silent.restart_redis()
    assert silent.redis.exists("tft:lock:fleet"), "without the lock this test shows nothing"
    wait_healthy(silent)
    assert silent.redis.hget("tft:brk:fleet", "n") is None, "a success deletes the breaker"


@pytest.mark.parametrize("name", CUTS)
def test_refresh_survives_a_lost_connection(single, name):
    question, act = CUTS[name]
    calls, history = single.upstream.predictions.count, single.redis.xlen("tfthist:fleet")
    single.proxy.before = question, lambda: act(single)
    refresh(single)
    assert single.upstream.predictions.count == calls + 1
    single.wait(single.redis_answers, what="Redis, which may have been restarted")
    assert single.redis.xlen("tfthist:fleet") <= history + 1
    assert not single.redis.exists("tft:lock:fleet")
    assert "ev=refresh_failed" not in single.logs()
    single.wait(lambda: is_fresh(ask(single)), what="a fresh page")
