# SPDX-License-Identifier: MIT
"""The risk history of a fleet whose names change all the time stays below its ceiling, with and without permission to
read its size; so do incidents of which many end at once. Of each hour's scores the last record stays."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import Server  # noqa: E402

INTERVAL, DAY = 30_000, 86_400_000
FIRST = 1_700_000_000_000 // INTERVAL
LIMIT = 1 << 20
KEYS = [f"tft:{what}:fleet" for what in ("cur", "lock", "brk", "epoch")] + ["tfthist:fleet", "tfthist:hours", "tfthist:risk", "tfthist:upstream", *(f"tfthist:{stream}" for stream in ("full", "thin", "forecasts", "incidents", "accuracy"))]


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
        "risks": "aa" * len(names), "kept": DAY, "bytes": LIMIT, "upstream": "f", "moment": "", "forecasts": "",
        "full_kept": DAY, "thin_kept": DAY, "window": 300_000, "seen": 0, "open": "", "closed": "", "ended": 100,
        "accuracy": "", "scored": DAY,
    } | more  # fmt: skip
    keys = [*KEYS, "tft:s:token:page", f"tft:page:{bucket}"]
    answer = server.call("commit", keys, [word for pair in named.items() for word in pair])
    assert answer[0] == "ok" and answer[2] == "hist-new", answer


def fill(server, commits, names):
    """names(i): the names in the i-th commit. Returns the sizes of the history after each commit, and its entries at the
    end."""
    server.command("FLUSHALL")
    sizes = []
    for i in range(commits):
        commit(server, FIRST + i, names(i))
        sizes.append(server.command("MEMORY", "USAGE", "tfthist:risk", "SAMPLES", 0))
    return sizes, server.command("XLEN", "tfthist:risk")


def changing(i):
    return [f"a-server-of-twenty-{(i if n == 0 else n):05}" for n in range(600)]


def test_names_that_change_in_each_bucket_count(server):
    sizes, entries = fill(server, 200, changing)
    assert max(sizes) < 1.1 * LIMIT
    assert entries * len(" ".join(changing(0))) > 0.5 * LIMIT, "what has room is kept"


def test_a_fleet_that_stays_the_same_is_kept_for_longer(server):
    sizes, entries = fill(server, 200, lambda i: changing(0))
    assert entries == 200 and max(sizes) < LIMIT


def test_an_account_that_may_not_ask_counts_the_worst(server):
    server.command("ACL", "SETUSER", "tft", "-memory")
    try:
        sizes, entries = fill(server, 200, changing)
    finally:
        server.command("ACL", "SETUSER", "tft", "+memory|usage")
    assert max(sizes) < 1.3 * LIMIT and entries > 30


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
