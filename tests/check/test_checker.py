# SPDX-License-Identifier: MIT
"""The checker accepts an orderly scenario and names what is wrong with each of the others."""
import copy
import json
import pathlib
import re
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checker import ENDLESS, INVARIANTS, Scenario, violations  # noqa: E402

WALL = 1_700_000_010  # the start of a bucket
FIRST = WALL // 30
SETTINGS = {
    "interval": 30, "fetch": 6, "lease": 17, "l1": True, "routes": 15, "budget": 26, "max_stale": 3600, "act_limit": 600,
    "slow_ms": 50, "hung_ms": 300, "wall": WALL, "workers": [2, 2], "healthy": True,
}  # fmt: skip


def answer(start, bucket, gen, **members):
    """An answer of a page that shows data claimed at `gen`."""
    return {
        "start": start, "end": start + 0.004, "path": "/", "method": "GET", "status": 200, "node": "n1", "length": 5000,
        "announced": 5000, "cache": "redis", "bucket": bucket, "gen_ms": (WALL + gen) * 1000, "content": f"c{bucket}",
        "says": [], "worker_ms": 1.5, "redis": "ok", **members,
    }  # fmt: skip


def fault(t, kind, until=None):
    return {"t": t, "until": t if until is None else until, "kind": kind}


def orderly():
    """Three buckets of 30 s: a call at 0, 30 and 60, each committed 2 s later."""
    return Scenario(
        settings=dict(SETTINGS),
        calls=[{"start": 30.0 * b, "bucket": FIRST + b, "address": "h1"} for b in range(3)],
        answers=[answer(5, 0, 0), answer(20, 0, 0, path="/heatmap"), answer(31, 0, 0), answer(40, 1, 30), answer(70, 2, 60)],
        samples=[sample(50, {"tft:cur:fleet": -1, "tft:overview:1": 3_590_000, "tfthist:fleet": -1})],
        commits=[{"t": 30 * b + 2, "bucket": FIRST + b, "history_id": f"{30_000 * b}-0"} for b in range(3)],
        history=[{"id": f"{30_000 * b}-0"} for b in range(3)],
        archive=[moment("full", b) for b in range(3)] + [moment("thin", 0), moment("forecasts", 0)],
    )


def moment(stream, bucket):
    return {"stream": stream, "id": f"{30_000 * bucket}-0"}


def days(scenario, full=range(3000, 6001)):
    """Two days of commits, of which so many buckets are left."""
    scenario.commits = [{"t": 30 * b + 2, "bucket": FIRST + b, "history_id": f"{30_000 * b}-0"} for b in range(6001)]
    scenario.archive = [moment("full", b) for b in full] + [moment(s, b) for s in ("thin", "forecasts") for b in range(0, 6001, 10)]


def without(stream, bucket):
    return lambda scenario: scenario.archive.remove(moment(stream, bucket))


def later(scenario):
    """The record begins after the first window's moment."""
    scenario.settings["first_window"] = 1
    scenario.archive = [moment("full", b) for b in range(3)]


def sample(t, keys):
    return {"t": t, "keys": keys, "workers": [2, 2]}


def add(name, *items):
    return lambda scenario: getattr(scenario, name).extend(items)


def change(name, index, **members):
    return lambda scenario: getattr(scenario, name)[index].update(members)


def both(*steps):
    return lambda scenario: [step(scenario) for step in steps] and None


def calls(count, gap, address="h1"):
    """This many calls, each in its own bucket."""
    return [{"start": 100 + gap * i, "bucket": FIRST + 3 + i, "address": address} for i in range(count)]


def unclaimed(start):
    return {"start": start, "bucket": None, "address": "h1"}


TTLS = {f"tft:overview:{i}": 1000 for i in range(120)}
STAGED = {f"tft:s:token:{i}": 1000 for i in range(100)}
LATE = FIRST + 3  # the bucket at 100 s


def local(node, content):
    return answer(33, 1, 30, path="/cost", cache="local", node=node, content=content)


def unhealthy(scenario):
    scenario.settings["healthy"] = False


VIOLATING = [
    ("I0", "no answer", change("answers", 0, status=0, length=0)),
    ("I0", "nginx has nobody to ask", change("answers", 0, status=502, node=None)),
    ("I0", "nginx is tired of waiting", change("answers", 0, status=503, node=None)),
    ("I0", "nothing at all although a worker has died", both(add("faults", fault(5, "death")), change("answers", 0, status=0, length=0))),
    ("I0", "a body cut by nobody's death", change("answers", 0, status=0, length=10)),
    ("I1", "two calls in a bucket", add("calls", *calls(1, 1), *calls(1, 1, "h2"))),
    ("I1", "a death allows one more, not two", both(add("calls", *calls(1, 1) * 3), add("faults", fault(100, "death")))),
    ("I1", "an outage allows none", both(add("calls", *calls(1, 1) * 2), add("faults", fault(100, "hung")))),
    ("I1", "a death in another bucket", both(add("calls", *calls(1, 1) * 2), add("faults", fault(85, "death")))),
    ("I1", "a bucket without a call", lambda scenario: scenario.calls.pop(1)),
    ("I1", "a call without a claim", add("calls", unclaimed(75))),
    ("I1", "and after the outage is over", both(add("calls", unclaimed(75)), add("faults", fault(60, "hung", 72)))),
    ("I2", "29 calls in a minute", add("calls", *calls(29, 2))),
    ("I2", "a loss at another time", both(add("calls", *calls(29, 2)), add("faults", fault(5, "loss")))),
    ("I3", "older than interval, fetch and a second", add("answers", answer(60, 0, 0))),
    ("I4", "older than max_stale", both(unhealthy, add("answers", answer(3700, 2, 60, says=["do-not-act"])))),
    ("I4", "no warning after act_limit", both(unhealthy, add("answers", answer(700, 2, 60, says=["stale"])))),
    ("I5", "a slow page", change("answers", 0, worker_ms=51)),
    ("I5", "a page slower than the store's time-out allows", change("answers", 0, worker_ms=310, redis="hung")),
    ("I5", "a POST that takes for ever", change("answers", 0, end=8.6, method="POST", worker_ms=None)),
    ("I6", "two snapshots between two commits", change("answers", 1, gen_ms=7)),
    ("I7", "back to an older bucket", add("answers", answer(72, 1, 60))),
    ("I8", "an id twice", add("history", {"id": "60000-0"})),
    ("I8", "ids in disorder", lambda scenario: scenario.history.reverse()),
    ("I8", "a commit without a point", lambda scenario: scenario.history.pop()),
    ("I8", "a point without a commit", add("history", {"id": "90000-0"})),
    ("I8", "a commit after a loss without a point", both(add("faults", fault(40, "loss")), lambda scenario: scenario.history.pop())),
    ("I9", "old data unmarked after a flush", add("faults", fault(62, "flush"))),
    ("I9", "and after a deletion", add("faults", fault(62, "deletion"))),
    ("I9", "and after all is gone", add("faults", fault(62, "emptied"))),
    ("I9", "a worker's own snapshot seconds later", both(add("faults", fault(62, "flush")), change("answers", 4, cache="local"))),
    ("I10", "a short body", change("answers", 0, length=4999)),
    ("I10", "no length", change("answers", 0, announced=None)),
    ("I10", "a HEAD with a body", change("answers", 0, method="HEAD")),
    ("I10", "a 304 with a body", change("answers", 0, status=304)),
    ("I11", "an entry for ever", change("samples", 0, keys={"tft:overview:1": -1})),
    ("I11", "a key that is in no list", change("samples", 0, keys={"tfthist:other": -1})),
    ("I11", "a history that expires", change("samples", 0, keys={"tfthist:full": 1000})),
    ("I11", "too many keys", change("samples", 0, keys=TTLS)),
    ("I12", "a worker is missing", change("samples", 0, workers=[2, 1])),
    ("I12", "and still 2 s after its death", both(change("samples", 0, workers=[2, 1]), add("faults", fault(47, "death")))),
    ("I13", "a commit without a moment", without("full", 1)),
    ("I13", "a moment without a commit", add("archive", moment("full", 3))),
    ("I13", "a moment between two buckets", add("archive", {"stream": "full", "id": "60001-0"})),
    ("I13", "two moments of a bucket", add("archive", {"stream": "full", "id": "60000-1"})),
    ("I13", "two of a window", add("archive", moment("thin", 1))),
    ("I13", "a window without a moment", without("thin", 0)),
    ("I13", "and without forecasts", without("forecasts", 0)),
    ("I13", "another than the first of its window", both(without("thin", 0), add("archive", moment("thin", 1)))),
    ("I13", "less than a day", lambda scenario: days(scenario, range(3200, 6001))),
    ("I13", "a hole in what is left", lambda scenario: days(scenario, [*range(3000, 3050), *range(3051, 6001)])),
    ("I13", "the newest is missing after a loss", both(add("faults", fault(40, "loss")), without("full", 2))),
    ("I14", "another text of the same data", change("answers", 2, content="c9")),
    ("I14", "and of a host's own", add("answers", local("n1", "c1"), local("n1", "c2"))),
]
ALLOWED = [
    ("I0", "a worker that says it cannot", change("answers", 0, status=503)),
    ("I0", "a body cut by a death", both(add("faults", fault(5.001, "death")), change("answers", 0, status=0, length=10))),
    ("I1", "one more after a death", both(add("calls", *calls(1, 1) * 2), add("faults", fault(100, "death")))),
    ("I1", "in both buckets that a stop touches", both(add("calls", *calls(2, 30) * 2), add("faults", fault(119, "stop", 121)))),
    ("I1", "no call in a bucket whose holder has died", both(lambda scenario: scenario.calls.pop(1), add("faults", fault(25, "death")))),
    ("I1", "a call of a worker on its own", both(add("calls", unclaimed(75)), add("faults", fault(60, "hung", 74)))),
    ("I2", "28 calls in a minute", add("calls", *calls(28, 2))),
    ("I2", "29 calls in more than a minute", add("calls", *calls(29, 2.2))),
    ("I2", "29 calls from two addresses", add("calls", *calls(15, 2), *calls(14, 2, "h2"))),
    ("I2", "the budget was lost in between", both(add("calls", *calls(29, 2)), add("faults", fault(120, "loss")))),
    ("I3", "with an upstream fault", both(unhealthy, add("answers", answer(60, 0, 0)))),
    ("I4", "a warning after act_limit", both(unhealthy, add("answers", answer(700, 2, 60, says=["do-not-act"])))),
    ("I4", "no data is an answer", add("answers", answer(9000, 2, 60, status=503))),
    ("I5", "hung Redis takes its time-out", change("answers", 0, worker_ms=250, redis="hung")),
    ("I5", "a slow machine between worker and client", change("answers", 0, end=6)),
    ("I5", "a worker that was stopped", both(change("answers", 0, worker_ms=900), add("faults", fault(4, "stop", 5)))),
    ("I6", "an answer that overlaps the commit", change("answers", 2, start=31.999, end=32.003, gen_ms=7)),
    ("I6", "a worker's own snapshot", change("answers", 1, gen_ms=7, cache="local")),
    ("I6", "another one after a loss", both(change("answers", 2, gen_ms=7), add("faults", fault(25, "loss", 26)))),
    ("I7", "after a deletion", both(add("faults", fault(70.5, "deletion")), add("answers", answer(72, 1, 60, says=["stale"])))),
    ("I7", "at the same time", add("answers", answer(70.002, 1, 60))),
    ("I7", "nginx' copy", add("answers", answer(70.9, 1, 60))),
    ("I8", "a bucket committed twice", add("commits", {"t": 65, "bucket": FIRST + 2, "history_id": "60000-0"})),
    ("I9", "marked", both(add("faults", fault(62, "flush")), change("answers", 4, says=["stale"]))),
    ("I9", "in an outage's first moment", both(add("faults", fault(62, "flush"), fault(69, "down")), change("answers", 4, cache="local"))),
    ("I9", "in a stall of Redis", both(add("faults", fault(68, "flush")), change("answers", 4, cache="local"))),
    ("I9", "made after the flush", add("faults", fault(59.9, "flush"))),
    ("I9", "within the life of a copy in nginx", add("faults", fault(69.5, "flush"))),
    ("I10", "a HEAD", change("answers", 0, method="HEAD", length=0)),
    ("I10", "a cut body is no answer", change("answers", 0, status=0, length=10)),
    ("I11", "staged keys of dead holders", change("samples", 0, keys=STAGED)),
    ("I12", "a worker that has just died", both(change("samples", 0, workers=[2, 1]), add("faults", fault(49, "death")))),
    ("I13", "a bucket committed twice", add("commits", {"t": 65, "bucket": FIRST + 2, "history_id": "60000-0"})),
    ("I13", "two days of which one is thinned", days),
    ("I13", "and two that are not", lambda scenario: days(scenario, range(6001))),
    ("I13", "a window whose moment is older than the record", later),
    ("I13", "what came before a loss", both(add("faults", fault(40, "loss")), without("full", 1), without("thin", 0))),
    ("I14", "what two hosts fetched on their own in the same millisecond", add("answers", local("n1", "c1"), local("n2", "c2"))),
    ("I14", "a page that tells of other things too", both(change("answers", 2, content=None))),
]


def test_an_orderly_scenario_has_no_violation():
    assert violations(orderly()) == []


@pytest.mark.parametrize("name, what, spoil", VIOLATING, ids=[f"{v[0]} {v[1]}" for v in VIOLATING])
def test_a_violation_is_found(name, what, spoil):
    scenario = orderly()
    spoil(scenario)
    assert list(INVARIANTS[name](scenario))


@pytest.mark.parametrize("name, what, alter", ALLOWED, ids=[f"{a[0]} {a[1]}" for a in ALLOWED])
def test_what_is_allowed_is_not_reported(name, what, alter):
    scenario = orderly()
    alter(scenario)
    assert list(INVARIANTS[name](scenario)) == []


def test_every_invariant_has_been_seen_to_fail():
    assert {violating[0] for violating in VIOLATING} == set(INVARIANTS)


def test_the_keys_that_never_expire_are_those_of_the_document():
    """rewind.lua knows all streams of them."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    rows = re.findall(r"^\| `(\S+)` \| (\w+) \| never", (root / "redis" / "KEYS.md").read_text(), re.M)
    groups = ("fleet", "status", "scenario", "alerts", "alertmanager")
    assert {key.replace("<group>", group) for key, _ in rows for group in groups} == ENDLESS
    streams = {key.removeprefix("tfthist:") for key, kind in rows if kind == "stream"}
    assert streams <= set(re.findall(r"'([a-z]+)'", (root / "redis" / "rewind.lua").read_text()))


def write(scenario, directory):
    members = copy.deepcopy(vars(scenario))
    (directory / "scenario.json").write_text(json.dumps(members.pop("settings")))
    for name, items in members.items():
        if items:
            (directory / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))


@pytest.mark.parametrize("spoil, code, words", [(add("calls", *calls(1, 1) * 2), 1, "I1: 2 calls"), (None, 0, " 0 violations")])
def test_the_command_reads_a_directory_and_says_so_by_its_status(tmp_path, spoil, code, words):
    scenario = orderly()
    if spoil:
        spoil(scenario)
    write(scenario, tmp_path)
    command = [sys.executable, pathlib.Path(__file__).parent / "checker.py", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == code and words in result.stdout, result.stdout + result.stderr
