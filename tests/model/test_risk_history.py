# SPDX-License-Identifier: MIT
"""The risk history of a fleet whose names change all the time stays below its ceiling, with and without permission to
read its size; so do incidents of which many end at once. Of each hour's scores the last record stays."""
import hashlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import Server  # noqa: E402

INTERVAL, DAY = 30_000, 86_400_000
FIRST = 1_700_000_000_000 // INTERVAL
LIMIT = 1 << 20
KEYS = [f"tft:{what}:fleet" for what in ("cur", "lock", "brk", "epoch")] + ["tfthist:fleet", "tfthist:hours", "tfthist:risk", "tfthist:upstream", *(f"tfthist:{stream}" for stream in ("full", "thin", "forecasts", "incidents", "accuracy", "riskhours", "warnings", "outcomes", "watch"))]


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


def commit(server, bucket, names, **more):
    server.set_time(bucket * INTERVAL * 1000)
    lock = f"token|{bucket}|epoch"
    for key, value in (("tft:lock:fleet", lock), ("tft:epoch:fleet", "epoch")):
        server.command("SET", key, value)
    server.command("HSET", "tft:s:token:page", "body", "text")
    named = {
        "entries": 1, "lock": lock, "bucket": bucket, "epoch": "epoch", "gen": bucket * INTERVAL, "snap": "snap", "interval": INTERVAL,
        "ttl": 60_000, "old_ttl": 60_000, "fill": 900, "record": "record", "points": 20_160, "names": " ".join(names),
        "risks": "aa" * len(names), "kept": DAY, "bytes": LIMIT, "upstream": "f", "moment": "", "beside": "", "beside_ms": 0, "forecasts": "",
        "full_kept": DAY, "thin_kept": DAY, "window": 300_000, "seen": 0, "open": "", "closed": "", "ended": 100,
        "accuracy": "", "scored": DAY, "warnings": "", "told": "", "outcomes": 100, "watch": "",
    } | more  # fmt: skip
    keys = [*KEYS, "tft:s:token:page", f"tft:page:{bucket}"]
    answer = server.call("commit", keys, [word for pair in named.items() for word in pair])
    assert answer[0] == "ok" and answer[2] == "hist-new", answer


def size(server):
    return sum(server.command("MEMORY", "USAGE", key, "SAMPLES", 0) or 0 for key in ("tfthist:risk", "tfthist:riskhours"))


def lines(server):
    """(bucket, names, risks) of all that is kept, hours first."""
    known, found = {}, []
    for key in ("tfthist:riskhours", "tfthist:risk"):
        for at, fields in server.command("XRANGE", key, "-", "+"):
            fields = dict(zip(fields[::2], fields[1::2]))
            known[fields[b"s"]] = fields.get(b"n", known.get(fields[b"s"]))
            rows = fields[b"r"].split(b"\n") if key == "tfthist:riskhours" else [at.partition(b"-")[0] + b" " + fields[b"r"]]
            found += [(int(time) // INTERVAL, known[fields[b"s"]].decode(), risks.decode()) for time, risks in map(bytes.split, rows)]
    return sorted(set(found))


def fill(server, commits, names):
    """names(i): the names in the i-th commit. Returns the sizes of the history after each commit, and the buckets kept at the
    end."""
    server.command("FLUSHALL")
    sizes = []
    for i in range(commits):
        commit(server, FIRST + i, names(i))
        sizes.append(size(server))
    return sizes, len(lines(server))


def changing(i):
    return [f"a-server-of-twenty-{(i if n == 0 else n):05}" for n in range(600)]


def test_names_that_change_in_each_bucket_count(server):
    sizes, buckets = fill(server, 400, changing)
    assert max(sizes) < 1.1 * LIMIT
    assert buckets * len(" ".join(changing(0))) > 0.2 * LIMIT, "what has room is kept"


def test_a_fleet_that_stays_the_same_is_kept_for_longer(server):
    sizes, buckets = fill(server, 400, lambda i: changing(0))
    assert buckets == 400 and max(sizes) < LIMIT
    assert 120 <= server.command("XLEN", "tfthist:risk") < 260, "the last two hours"


def test_of_an_hour_that_is_over_each_list_of_names_is_an_entry(server):
    server.command("FLUSHALL")
    first = -(-FIRST // 120) * 120
    for i in range(121):
        commit(server, first + i, ["a", "b"] if i < 50 or i > 70 else ["a"])
    start = first * INTERVAL
    entries = server.command("XRANGE", "tfthist:riskhours", "-", "+")
    assert [at.decode() for at, _ in entries] == [f"{start}-{n}" for n in range(3)]
    assert [fields[5] for _, fields in entries] == [b"a b", b"a", b"a b"]
    assert [len(fields[3].split(b"\n")) for _, fields in entries] == [50, 21, 49]
    commit(server, first + 121, ["a"])
    assert server.command("XLEN", "tfthist:riskhours") == 3


def test_a_history_without_hours_is_closed_an_hour_in_each_commit(server):
    """As a version without them has left it, a third larger than what entries of an open hour may take."""
    server.command("FLUSHALL")
    fleet = changing(0)[:300]
    first, digest = FIRST // 120 * 120, hashlib.sha1(" ".join(fleet).encode()).hexdigest()[:8]
    for i in range(5 * 120):
        names = ("n", " ".join(fleet)) if i % 120 == 0 else ()
        server.command("XADD", "tfthist:risk", f"{(first + i) * INTERVAL}-0", "s", digest, "r", f"{i:04}" * 150, *names)
    assert size(server) > LIMIT / 3
    before = lines(server)
    for n in range(7):
        commit(server, first + 600 + n, fleet)
        assert server.command("XLEN", "tfthist:riskhours") == min(n + 1, 5)
    assert lines(server)[:600] == before
    assert server.command("XLEN", "tfthist:risk") < 300


def test_an_account_that_may_not_ask_counts_the_worst(server):
    server.command("ACL", "SETUSER", "tft", "-memory")
    try:
        sizes, buckets = fill(server, 400, changing)
    finally:
        server.command("ACL", "SETUSER", "tft", "+memory|usage")
    assert max(sizes) < 1.3 * LIMIT and buckets > 15


def test_incidents_of_a_whole_fleet_that_end_at_once_are_kept_up_to_a_number(server):
    server.command("FLUSHALL")
    for i in range(4):
        closed = "\n".join(f"line {i} {n}" for n in range(5000))
        seen = (FIRST + i - 1) * INTERVAL if i else 0
        commit(server, FIRST + i, ["a"], moment="m", open="", closed=closed, ended=10_000, seen=seen)
    entries = server.command("XRANGE", "tfthist:incidents", "-", "+")
    assert 10_000 <= len(entries) <= 10_100
    assert entries[-1] == [f"{(FIRST + 3) * INTERVAL}-4999".encode(), [b"i", b"line 3 4999"]]
    newest = [text.decode() for _, (_, text) in entries[-10_000:]]
    assert newest == [f"line {i} {n}" for i in (2, 3) for n in range(5000)]


def test_of_the_scores_of_an_hour_the_last_stay(server):
    """The newest three, for readers that still show an older snapshot; of an hour that is over the last one."""
    server.command("FLUSHALL")
    per_hour = 3_600_000 // INTERVAL
    first = FIRST // per_hour * per_hour + per_hour - 4
    for i in range(8):
        seen = (first + i - 1) * INTERVAL if i else 0
        commit(server, first + i, ["a"], moment="m", seen=seen, accuracy=f"scores {i}")
    kept = [int(entry[1][1].split()[1]) for entry in server.command("XRANGE", "tfthist:accuracy", "-", "+")]
    assert kept == [3, 5, 6, 7]
    commit(server, first + 8, ["a"], moment="m", seen=1, accuracy="of another moment")
    commit(server, first + 9, ["a"], moment="m", seen=(first + 8) * INTERVAL)
    assert server.command("XLEN", "tfthist:accuracy") == 4, "nothing new was scored"


def test_of_the_watch_the_last_stays_and_of_the_outcomes_a_number(server):
    server.command("FLUSHALL")
    for i in range(5):
        told = "\n".join(f"line {i} {n}" for n in range(100))
        seen = (FIRST + i - 1) * INTERVAL if i else 0
        commit(server, FIRST + i, ["a"], moment="m", seen=seen, told=told, outcomes=200, warnings=f"counts {i}", watch=f"watch {i}")
    assert server.command("XRANGE", "tfthist:watch", "-", "+") == [[f"{(FIRST + 4) * INTERVAL}-0".encode(), [b"s", b"watch 4"]]]
    outcomes = [entry[1][1].decode() for entry in server.command("XRANGE", "tfthist:outcomes", "-", "+")]
    assert 200 <= len(outcomes) <= 300 and outcomes[-200:] == [f"line {i} {n}" for i in (3, 4) for n in range(100)]
    assert server.command("XLEN", "tfthist:warnings") == 3, "of one hour"
    commit(server, FIRST + 5, ["a"], moment="m", seen=1, told="line", warnings="of another moment", watch="of another moment")
    assert server.command("XREVRANGE", "tfthist:watch", "+", "-", "COUNT", 1)[0][1][1] == b"watch 4"
