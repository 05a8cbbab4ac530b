# SPDX-License-Identifier: MIT
"""The scripts of the shared cache against a model of the protocol, at random; see README.md."""
import pathlib
import re
import secrets
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from mutations import MUTATIONS  # noqa: E402
from scheduler import Failure, Run  # noqa: E402
from server import Server  # noqa: E402

STEPS = 50_000  # of each of the two runs
MUTANT_STEPS = 40_000  # at most
SEEDS = range(42, 47)
EVERY_ANSWER = {
    "claim": {"won", "fresh", "open", "budget", "busy", "foreign", "OOM"},
    "extend": {"ok", "lost", "WRONGTYPE", "OOM"},
    "stage": {"ok", "WRONGTYPE", "OOM"},
    "commit": {"lost", "flushed", "old", "missing", "foreign", "hist-new", "hist-dup", "hist-ahead", "hist-none", "WRONGTYPE", "OOM"},
    "fail": {"backoff", "lost", "WRONGTYPE", "OOM"},
    "flush": {"ok", "limited"},
    "adopt": {"ok"},
    "reopen": {"ok", "kept"},
    "note": {"ok", "OOM"},
    "count": {"ok"},
}


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.mark.parametrize("seed", [20, secrets.randbits(32)], ids=["fixed", "fresh"])
def test_the_scripts_do_what_the_model_says_and_keep_the_invariants(server, seed):
    server.use()
    print(f"seed {seed}")
    run = Run(server, seed)
    run.steps(STEPS)
    if seed == 20:  # what another seed reaches is random
        missed = {(script, answer) for script, answers in EVERY_ANSWER.items() for answer in answers} - set(run.answers)
        assert not missed, "the run never came to these"


def mutant(script, old, new, server):
    text = server.scripts[script]
    assert text.count(old) == 1, f"{script}.lua has changed, this mistake needs another wording: {old}"
    return {script: text.replace(old, new)}


def difference(server, seed):
    """The first difference between scripts and model that a run finds; "": none."""
    try:
        Run(server, seed).steps(MUTANT_STEPS)
    except Failure as failure:
        return str(failure)
    return ""


@pytest.mark.parametrize("script, what, old, new, invariant", MUTATIONS, ids=[f"{m[0]}: {m[1]}" for m in MUTATIONS])
def test_a_mistake_in_a_script_is_noticed(server, script, what, old, new, invariant):
    server.use(**mutant(script, old, new, server))
    found = next((text for seed in SEEDS if (text := difference(server, seed))), "")
    assert re.search("answered|Redis holds", found), "what one of them reaches is up to chance"
    broken = re.search("answered .'error', '(ERR|NOPERM)'", found)
    assert bool(broken) == what.endswith(" fails"), "this mistake does not even run"


BY_INVARIANT = [m for m in MUTATIONS if m[4]]


@pytest.mark.parametrize("script, what, old, new, invariant", BY_INVARIANT, ids=[f"{m[4]}: {m[0]} {m[1]}" for m in BY_INVARIANT])
def test_an_invariant_needs_no_model_to_notice_it(server, script, what, old, new, invariant):
    server.use(**mutant(script, old, new, server))
    assert any(broken(server, seed) == invariant for seed in SEEDS), "what one of them reaches, and first, is up to chance"


def broken(server, seed):
    """The first invariant that a run violates; None: none."""
    try:
        Run(server, seed, compare=False).steps(MUTANT_STEPS)
    except Failure as failure:
        return str(failure).split(" ", 1)[0]
    return None


def test_a_pointer_of_another_fleet_goes_before_it_gets_a_name(server):
    """This happens too rarely at random: the history belongs to us, and the pointer to another fleet."""
    ours, theirs = "a" * 16, "b" * 16
    server.use()
    server.command("FLUSHALL")
    server.command("SET", "tfthist:upstream", ours)
    server.command("HSET", "tft:cur:fleet", "bucket", 1, "snap", "s", "upstream", theirs)
    keys = [f"tft:{what}:fleet" for what in ("cur", "lock", "brk", "budget", "epoch")] + ["tfthist:upstream", "tft:cur:fleet", "tft:s:token:trial"]
    answer = server.call("claim", keys, ["token", 17_000, 30_000, 26, 60_000, 31, ours])
    assert answer[0] == "won"
    assert server.command("HGETALL", "tft:cur:fleet") == [b"upstream", ours.encode()]
