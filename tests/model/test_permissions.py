# SPDX-License-Identifier: MIT
"""A Redis user that lacks one permission: then a claim changes nothing, and no reader ever sees half a commit.

Redis checks a permission when a script reaches the command. What the script has done before stays.
"""
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from server import SCRIPTS, Server  # noqa: E402

REFRESH = ("claim", "extend", "stage", "commit", "fail", "note", "count", "reopen")
HISTORY = {"xadd", "xdel", "xrange", "xrevrange", "memory|usage"}  # a refresh does not need these
OWNER, NOW, INTERVAL = "a" * 16, 1_700_000_000_000_000, 30_000
BUCKET = NOW // 1000 // INTERVAL
CLAIM = [f"tft:{what}:fleet" for what in ("cur", "lock", "brk", "budget", "epoch")] + ["tfthist:upstream", "tft:cur:fleet", "tft:s:token:trial"]
STREAMS = ("fleet", "hours", "risk", "upstream", "full", "thin", "forecasts", "incidents", "accuracy", "riskhours", "warnings", "outcomes", "watch")
COMMIT = [f"tft:{what}:fleet" for what in ("cur", "lock", "brk", "epoch")] + [f"tfthist:{name}" for name in STREAMS]
POINTER = {b"bucket": b"%d" % (BUCKET - 1), b"epoch": b"epoch", b"snap": b"old", b"upstream": OWNER.encode()}


def commands(*names):
    """The commands of the scripts, as an ACL names them."""
    found = set()
    for name in names:
        text = re.sub("--.*", "", (SCRIPTS / f"{name}.lua").read_text())
        found |= {first.lower() for first in re.findall(r"redis\.p?call\('(\w+)'", text) + re.findall(r"\{'([A-Z]+)'", text)}
    return {"memory|usage" if name == "memory" else name for name in found}


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        running.call("claim", [*CLAIM], [])  # loads it, whatever it answers
        yield running


def begin(server):
    server.command("FLUSHALL")
    server.set_time(NOW)
    server.command("SET", "tfthist:upstream", OWNER)
    server.command("SET", "tft:epoch:fleet", "epoch")
    server.command("HSET", "tft:cur:fleet", *[word for pair in POINTER.items() for word in pair])


class Without:
    def __init__(self, server, command):
        self.server, self.command = server, command

    def __enter__(self):
        self.server.command("ACL", "SETUSER", "tft", f"-{self.command}")

    def __exit__(self, *_):
        self.server.command("ACL", "SETUSER", "tft", f"+{self.command}")


def claim(server):
    return server.call("claim", CLAIM, ["token", 17_000, INTERVAL, 26, 60_000, 31, OWNER])


@pytest.mark.parametrize("command", sorted(commands(*REFRESH) - HISTORY))
def test_who_lacks_one_permission_does_not_begin_a_refresh(server, command):
    begin(server)
    before = server.dump()
    with Without(server, command):
        answer = claim(server)
    assert answer[0] == "error", "what a later script needs is tried by the claim"
    after = server.dump().splitlines()
    assert [line for line in after if not line.startswith("tft:s:token:trial|")] == before.splitlines()
    assert server.command("PTTL", "tft:s:token:trial") in (1000, -2), "a trial is over in a second"
    assert claim(server)[0] == "won"


@pytest.mark.parametrize("command", sorted(HISTORY))
def test_a_refresh_does_without_the_history(server, command):
    begin(server)
    with Without(server, command):
        assert claim(server)[0] == "won"


def test_a_claim_that_was_won_leaves_no_trial_behind(server):
    begin(server)
    assert claim(server)[0] == "won"
    assert b"tft:s:token:trial" not in server.command("KEYS", "*")


def commit(server):
    lock = f"token|{BUCKET}|epoch"
    server.command("SET", "tft:lock:fleet", lock, "PX", 17_000)
    server.command("HSET", "tft:brk:fleet", "n", 1)
    for route in ("page", "fleet"):
        server.command("HSET", f"tft:s:token:{route}", "snap", "new")
        server.command("HSET", f"tft:{route}:{BUCKET - 1}", "snap", "old")
        server.command("PEXPIRE", f"tft:{route}:{BUCKET - 1}", 3_600_000)
    keys = [*COMMIT, "tft:s:token:page", "tft:s:token:fleet", f"tft:page:{BUCKET}", f"tft:fleet:{BUCKET}"]
    named = {
        "entries": 2, "lock": lock, "bucket": BUCKET, "epoch": "epoch", "gen": NOW // 1000, "snap": "new", "interval": INTERVAL, "ttl": 3_600_000,
        "old_ttl": 60_000, "fill": 900, "record": "record", "points": 20_160, "names": "a b", "risks": "aaaa", "kept": 86_400_000,
        "bytes": 1 << 20, "upstream": OWNER, "moment": "m", "beside": "", "beside_ms": 0, "forecasts": "f", "full_kept": 86_400_000, "thin_kept": 86_400_000, "window": 300_000,
        "seen": 0, "open": "", "closed": "", "ended": 100, "accuracy": "scores", "scored": 86_400_000,
        "warnings": "counts", "told": "line", "outcomes": 100, "watch": "watch",
    }  # fmt: skip
    return server.call("commit", keys, [word for pair in named.items() for word in pair])


@pytest.mark.parametrize("command", sorted(commands("commit") - HISTORY - {"unlink"}))
def test_a_commit_that_stops_in_the_middle_is_not_seen(server, command):
    """The permission is revoked between claim and commit: what readers rely on stays as it was, with everything that
    belongs to it."""
    begin(server)
    with Without(server, command):
        assert commit(server)[0] == "error"
    assert server.command("HGETALL", "tft:cur:fleet") == [word for pair in POINTER.items() for word in pair]
    for route in ("page", "fleet"):
        assert server.command("PTTL", f"tft:{route}:{BUCKET - 1}") == 3_600_000, "the old bucket lives as long as before"
    begin(server)
    assert commit(server)[0] == "ok", "the next one goes through"


@pytest.mark.parametrize("command", sorted(HISTORY - {"memory|usage"}))
def test_a_commit_without_its_history_says_why(server, command):
    begin(server)
    if command == "xrange":  # which only the first point of an hour needs
        server.command("XADD", "tfthist:fleet", f"{(BUCKET - 200) * INTERVAL}-0", "d", "record")
    for i in (3, 2, 1) if command == "xdel" else ():  # and this one when an hour is scored again
        server.command("XADD", "tfthist:accuracy", f"{(BUCKET - i) * INTERVAL}-0", "a", "scores")
    with Without(server, command):
        answer = commit(server)
    assert answer[0] == "ok" and answer[2] == "hist-failed" and re.search("user|permission|ACL", answer[3])
    assert server.command("HGET", "tft:cur:fleet", "snap") == b"new"
