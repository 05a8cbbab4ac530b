#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Decides the invariants of the cache from the logs of a scenario: checker.py DIRECTORY

A scenario writes JSON lines, one object a line; unknown members are ignored. All times `t`, `start`, `end` are seconds of one
monotonic clock, the same in all files. A missing file means that nothing of its kind happened.

scenario.json   one object: {"interval": 30, "fetch": 6, "via_nginx": true, "routes": 15, "budget": 26, "max_stale": 3600,
                "act_limit": 600, "wall": wall clock minus monotonic clock in s, "healthy": true when no upstream fault was made}
calls.jsonl     GET /predictions/current as the fake upstream saw them: {"start", "end", "bucket": of Redis' clock at the start,
                "address": of the client}
faults.jsonl    what was done: {"t", "bucket", "kind"}; kind: death, stop, flush, deletion, loss (of Redis), clock
answers.jsonl   each response to a client: {"client": id, "start", "end", "path", "method", "status", "length": bytes of the body,
                "headers": {lower-case name: value}, "bucket", "gen_ms", "snap": from main#view data-bucket, data-gen-ms, the ETag's
                page or the JSON; absent where the document has none, "says": [marks found: "stale", "no-data", "do-not-act"],
                "redis": "ok" | "hung" | "down" when the request began}
samples.jsonl   of Redis: {"t", "keys": {name: PTTL in ms, -1 without}, "staged": number of tft:s:* keys}
commits.jsonl   {"t", "bucket", "history_id"} of each commit that was ok
history.jsonl   {"id"} of the stream at the end, in its order

Each function takes a Scenario and yields a sentence for each violation.
"""
import json
import pathlib
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field

ENDLESS = ("tft:cur:", "tft:epoch:", "tfthist:")
LATE_CALLERS = 2  # whoever was stopped between claim and call may be late by 1.8 s
GROUPS = 3
SLOW_S, HUNG_S, EVER_S = 0.05, 0.3, 3.5
LOSSES = ("deletion", "loss", "clock")


@dataclass
class Scenario:
    settings: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    commits: list = field(default_factory=list)
    history: list = field(default_factory=list)


def load(directory):
    directory = pathlib.Path(directory)
    scenario = Scenario(settings=json.loads((directory / "scenario.json").read_text()))
    for name in ("calls", "faults", "answers", "samples", "commits", "history"):
        path = directory / f"{name}.jsonl"
        if path.exists():
            setattr(scenario, name, [json.loads(line) for line in path.read_text().splitlines()])
    return scenario


def pages(scenario):
    """Answers that show data of a snapshot."""
    return [answer for answer in scenario.answers if answer["status"] == 200 and answer.get("gen_ms") is not None]


def age_s(scenario, answer):
    """Of the data when the answer was complete."""
    return answer["end"] + scenario.settings["wall"] - answer["gen_ms"] / 1000


def calls_per_bucket(scenario):
    """I1"""
    allowed = Counter(fault["bucket"] for fault in scenario.faults)
    for bucket, count in Counter(call["bucket"] for call in scenario.calls).items():
        if count > 1 + allowed[bucket]:
            yield f"{count} calls in bucket {bucket} with {allowed[bucket]} faults"


def calls_per_minute(scenario):
    """I2: in any 60 s from one address, but for those where the budget itself was lost."""
    limit = scenario.settings["budget"] + LATE_CALLERS
    starts = defaultdict(list)
    for call in scenario.calls:
        starts[call["address"]].append(call["start"])
    lost = [fault["t"] for fault in scenario.faults if fault["kind"] in LOSSES]
    for address, times in starts.items():
        times.sort()
        for first, last in zip(times, times[limit:]):
            if last - first < 60 and not any(first <= t <= last for t in lost):
                yield f"more than {limit} calls from {address} in the {last - first:.1f} s after {first:.1f}"


def healthy_age(scenario):
    """I3: as long as nothing is wrong and after the first refresh."""
    if not scenario.settings["healthy"] or scenario.faults:
        return
    limit = scenario.settings["interval"] + scenario.settings["fetch"] + 0.3 + scenario.settings["via_nginx"]
    for answer in pages(scenario):
        if age_s(scenario, answer) > limit:
            yield f"{answer['path']} is {age_s(scenario, answer):.1f} s old, at most {limit:.1f} s are allowed"


def old_data(scenario):
    """I4"""
    for answer in pages(scenario):
        age = age_s(scenario, answer)
        if age > scenario.settings["max_stale"]:
            yield f"{answer['path']} shows data that are {age:.0f} s old"
        elif age > scenario.settings["act_limit"] and "do-not-act" not in answer["says"]:
            yield f"{answer['path']} shows data that are {age:.0f} s old and does not warn"


def duration(scenario):
    """I5"""
    for answer in scenario.answers:
        if answer["method"] not in ("GET", "HEAD"):
            limit = EVER_S
        else:
            limit = SLOW_S if answer["redis"] == "ok" else HUNG_S
        if answer["end"] - answer["start"] > limit:
            yield f"{answer['method']} {answer['path']} took {(answer['end'] - answer['start']) * 1000:.0f} ms"


def one_snapshot(scenario):
    """I6: all routes read between two commits agree. An answer that overlaps a commit may have either."""
    times = sorted(commit["t"] for commit in scenario.commits)
    between = defaultdict(dict)
    for answer in pages(scenario):
        before = sum(t <= answer["start"] for t in times)
        if before == sum(t <= answer["end"] for t in times):
            between[before].setdefault(answer["snap"], answer)
    for found in between.values():
        if len(found) > 1:
            yield "snapshots " + " and ".join(f"{snap} ({answer['path']})" for snap, answer in found.items())


def bucket_never_decreases(scenario):
    """I7: for one client, whose requests follow each other, but for a loss in between."""
    last = {}
    lost = [fault["t"] for fault in scenario.faults if fault["kind"] in LOSSES]
    for answer in sorted(pages(scenario), key=lambda answer: answer["start"]):
        before = last.get(answer["client"])
        if before and answer["bucket"] < before["bucket"]:
            if not any(before["start"] <= t <= answer["end"] for t in lost):
                yield f"client {answer['client']} saw bucket {answer['bucket']} after {before['bucket']}"
        last[answer["client"]] = answer


def history_is_complete(scenario):
    """I8: ids rise, and each committed bucket is there; twice committed is there once."""
    ids = [tuple(map(int, entry["id"].split("-"))) for entry in scenario.history]
    for before, after in zip(ids, ids[1:]):
        if after <= before:
            yield f"id {after} after {before}"
    present = {f"{ms}-{number}" for ms, number in ids}
    born = max((fault["t"] for fault in scenario.faults if fault["kind"] == "loss"), default=float("-inf"))
    expected = {commit["history_id"] for commit in scenario.commits if commit["t"] > born}
    yield from (f"the point {missing} is missing" for missing in sorted(expected - present))
    if born == float("-inf"):
        yield from (f"the point {extra} belongs to no commit" for extra in sorted(present - expected))


def flushed_is_marked(scenario):
    """I9: what was asked for after a flush is newer than it, or says that it is stale."""
    flushes = [fault["t"] for fault in scenario.faults if fault["kind"] in ("flush", "deletion")]
    for answer in pages(scenario):
        before = [t for t in flushes if t + scenario.settings["via_nginx"] <= answer["start"]]
        gen = answer["gen_ms"] / 1000 - scenario.settings["wall"]
        if before and gen < max(before) and "stale" not in answer["says"]:
            yield f"{answer['path']} at {answer['start']:.3f} is from {gen:.3f}, before the flush at {max(before):.3f}, unmarked"


def whole_bodies(scenario):
    """I10: a HEAD has the length of the GET and no body; 304 and 204 have none."""
    for answer in scenario.answers:
        announced = answer["headers"].get("content-length")
        expected = 0 if answer["method"] == "HEAD" or answer["status"] in (204, 304) else announced
        if expected is None:
            yield f"{answer['path']} has no Content-Length"
        elif int(expected) != answer["length"]:
            yield f"{answer['path']} announced {expected} bytes and sent {answer['length']}"


def keys_expire(scenario):
    """I11"""
    bound = 4 * scenario.settings["routes"] + 8 * GROUPS + 4
    for sample in scenario.samples:
        for key, ttl in sample["keys"].items():
            if ttl == -1 and not key.startswith(ENDLESS):
                yield f"{key} never expires"
        if len(sample["keys"]) - sample["staged"] > bound:
            yield f"{len(sample['keys'])} keys at {sample['t']:.1f}, {sample['staged']} of them staged; {bound} are allowed"


INVARIANTS = {
    "I1": calls_per_bucket,
    "I2": calls_per_minute,
    "I3": healthy_age,
    "I4": old_data,
    "I5": duration,
    "I6": one_snapshot,
    "I7": bucket_never_decreases,
    "I8": history_is_complete,
    "I9": flushed_is_marked,
    "I10": whole_bodies,
    "I11": keys_expire,
}


def violations(scenario):
    return [f"{name}: {text}" for name, check in INVARIANTS.items() for text in check(scenario)]


def main(arguments):
    if len(arguments) != 1:
        print("usage: checker.py DIRECTORY", file=sys.stderr)
        return 2
    scenario = load(arguments[0])
    found = violations(scenario)
    print("\n".join(found))
    print(f"{len(scenario.answers)} answers, {len(scenario.calls)} calls, {len(scenario.faults)} faults: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
