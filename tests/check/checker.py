#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Decides the invariants of the cache from the logs of a scenario: checker.py DIRECTORY

A scenario writes JSON lines, one object a line; unknown members are ignored. All times `t`, `until`, `start`, `end` are seconds
of one monotonic clock, the same in all files. A missing file means that nothing of its kind happened. tests/integration/recorder.py
writes them.

scenario.json   one object: {"interval": 30, "fetch": 6, "lease": 17, "l1": true when nginx keeps copies for a second, "routes": 15,
                "budget": 26, "max_stale": 3600, "act_limit": 600, "slow_ms": 50, "hung_ms": 300, "wall": wall clock minus
                monotonic clock in s, "workers": [of each host] or null where nobody restarts them, "healthy": true when no upstream fault was made,
                "first_window": the first 5 minutes (counted from 1970) of which no moment was there when the record began}
calls.jsonl     GET /predictions/current as the fake upstream saw them: {"start", "bucket": of the claim that it was made for, null
                for a call that nobody had claimed, "address": of the client}
faults.jsonl    what was done: {"t", "until", "kind"}
                  death (of a worker), stop (of one, for that time), flush, deletion, emptied (with the history), loss (of Redis),
                  clock: each may cost a call
                  hung, down (Redis, for that time), upstream (that is at fault), restart (of workers, in good order): none of
                  them may
answers.jsonl   each response to a client: {"start", "end", "path", "method", "status": 0 for no whole answer, "node": of the worker,
                null when nginx answered, "announced": Content-Length or null, "length": bytes of the body,
                "cache": "redis", "local" (the worker's own snapshot) or null, "bucket", "gen_ms": of the data, absent where the
                document has none, "content": digest of what does not depend on the condition, absent where it is no function of
                the snapshot, "says": [marks found: "stale", "do-not-act"], "worker_ms": what the worker took,
                absent where it does not say, "redis": "ok", "hung" or "down" while it was answered}
samples.jsonl   of Redis: {"t", "keys": {name: PTTL in ms, -1 without}, "workers": [of each host]}
commits.jsonl   {"t", "bucket", "history_id"} of each commit that was ok
history.jsonl   {"id"} of the stream at the end, in its order
archive.jsonl   {"stream": "full", "thin" or "forecasts", "id"} of the moments at the end, each stream in its order, from the first commit on

Each function takes a Scenario and yields a sentence for each violation.
"""
import json
import pathlib
import sys
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass, field

# The keys that never expire: those of redis/KEYS.md.
HISTORY = ("fleet", "hours", "risk", "riskhours", "full", "thin", "forecasts", "incidents", "accuracy", "warnings", "outcomes", "watch", "upstream")
ENDLESS = frozenset(f"tft:{what}:{group}" for what in ("cur", "epoch") for group in ("fleet", "status", "scenario", "alerts", "alertmanager")) | frozenset(
    f"tfthist:{name}" for name in HISTORY
)
DAY_MS, WINDOW_MS = 86_400_000, 300_000  # all moments of a day are kept, and of each window one for longer
LATE_CALLERS = 2  # a worker that was stopped between claim and call may be up to 1.8 s late
GROUPS = 5
EVER_MS = 3500
RESTART_S = 2  # until a killed worker is replaced
GRACE_S = 3  # how long an outage may last unnoticed
TAIL_S = 2  # how long a worker stays without Redis after an outage
LOSSES = ("deletion", "emptied", "loss", "clock")
COSTLY = ("death", "stop", "flush", *LOSSES)
OUTAGES = ("hung", "down", "loss")


@dataclass
class Scenario:
    settings: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    commits: list = field(default_factory=list)
    history: list = field(default_factory=list)
    archive: list = field(default_factory=list)

    def during(self, start, end, kinds):
        """Whether such a fault overlaps that time."""
        return any(fault["t"] <= end and fault["until"] >= start for fault in self.faults if fault["kind"] in kinds)

    def bucket(self, t):
        """The bucket by Redis' clock."""
        return int((t + self.settings["wall"]) // self.settings["interval"])

    def copy_s(self):
        """How long nginx may repeat an answer."""
        return 1 if self.settings["l1"] else 0


def load(directory):
    directory = pathlib.Path(directory)
    scenario = Scenario(settings=json.loads((directory / "scenario.json").read_text()))
    for name in ("calls", "faults", "answers", "samples", "commits", "history", "archive"):
        path = directory / f"{name}.jsonl"
        if path.exists():
            setattr(scenario, name, [json.loads(line) for line in path.read_text().splitlines()])
    return scenario


def pages(scenario):
    """Answers with data of a snapshot."""
    return [answer for answer in scenario.answers if answer["status"] == 200 and answer.get("gen_ms") is not None]


def shared_pages(scenario):
    """Those from the shared cache."""
    return [answer for answer in pages(scenario) if answer["cache"] == "redis"]


def age_s(scenario, answer):
    """The age of the data when the answer was complete."""
    return answer["end"] + scenario.settings["wall"] - answer["gen_ms"] / 1000


def every_request_is_answered(scenario):
    """I0: by a worker. A worker that dies in the middle of a body leaves an answer that can be seen to be cut; a POST is
    never repeated."""
    for answer in scenario.answers:
        answered = answer["status"] not in (0, 502, 503, 504) or (answer["status"] == 503 and answer["node"])
        cut = answer["length"] > 0 or answer["method"] == "POST"
        if not answered and not (cut and scenario.during(answer["start"], answer["end"], ["death"])):
            yield f"{answer['method']} {answer['path']} at {answer['start']:.3f} got {answer['status']} and {answer['length']} bytes"


def calls_per_bucket(scenario):
    """I1: one, another one for each costly fault, and none that was not claimed while Redis was up."""
    allowed = Counter()
    for fault in scenario.faults:
        if fault["kind"] in COSTLY:
            allowed.update(range(scenario.bucket(fault["t"]), scenario.bucket(fault["until"]) + 1))
    counts = Counter(call["bucket"] for call in scenario.calls)
    for call in scenario.calls:
        if call["bucket"] is None and not scenario.during(call["start"] - TAIL_S, call["start"], (*OUTAGES, "stop", "death")):
            yield f"the call at {call['start']:.3f} was claimed by nobody"
    counts.pop(None, None)
    for bucket, count in counts.items():
        if count > 1 + allowed[bucket]:
            yield f"{count} calls in bucket {bucket} with {allowed[bucket]} faults"
    for bucket in range(min(counts, default=0), max(counts, default=0)):
        if counts[bucket] == 0 and is_quiet(scenario, bucket):
            yield f"no call in bucket {bucket}, in which nothing was wrong"


def is_quiet(scenario, bucket):
    """Nothing was done in that bucket, nor earlier with a lease or back-off that could reach into it."""
    interval = scenario.settings["interval"]
    start = bucket * interval - scenario.settings["wall"]
    reach = scenario.settings["lease"] if scenario.settings["healthy"] else 300
    return not any(fault["t"] <= start + interval and fault["until"] >= start - reach for fault in scenario.faults)


def calls_per_minute(scenario):
    """I2: within any 60 s, from one address, unless the budget itself was lost."""
    limit = scenario.settings["budget"] + LATE_CALLERS
    starts = defaultdict(list)
    for call in scenario.calls:
        starts[call["address"]].append(call["start"])
    for address, times in starts.items():
        times.sort()
        for first, last in zip(times, times[limit:]):
            if last - first < 60 and not scenario.during(first, last, LOSSES):
                yield f"more than {limit} calls from {address} in the {last - first:.1f} s after {first:.1f}"


def healthy_age(scenario):
    """I3: while nothing is wrong, after the first refresh."""
    if not scenario.settings["healthy"] or scenario.faults:
        return
    limit = scenario.settings["interval"] + scenario.settings["fetch"] + 0.3 + scenario.copy_s()
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
    """I5: by the worker's own measurement; a worker that is stopped cannot answer."""
    for answer in scenario.answers:
        limit, took = EVER_MS, (answer["end"] - answer["start"]) * 1000
        if answer.get("worker_ms") is not None:
            limit, took = scenario.settings["slow_ms" if answer["redis"] == "ok" else "hung_ms"], answer["worker_ms"]
        if took > limit and not scenario.during(answer["start"], answer["end"], ["stop"]):
            yield f"{answer['method']} {answer['path']} at {answer['start']:.3f} took {took:.0f} ms"


def one_snapshot(scenario):
    """I6: all routes read between two commits agree. An answer that overlaps a commit may show either snapshot."""
    changes = [commit["t"] for commit in scenario.commits]
    changes += [fault[edge] for fault in scenario.faults if fault["kind"] in LOSSES for edge in ("t", "until")]
    changes.sort()
    between = defaultdict(dict)
    for answer in shared_pages(scenario):
        before = bisect_right(changes, answer["start"] - scenario.copy_s())
        if before == bisect_right(changes, answer["end"]):
            between[before].setdefault(answer["gen_ms"], answer)
    for found in between.values():
        if len(found) > 1:
            yield "data of " + " and of ".join(
                f"{gen_ms} ({answer['path']} at {answer['start']:.3f})" for gen_ms, answer in found.items()
            )


def bucket_never_decreases(scenario):
    """I7: a request sent after any answer has arrived gets the same bucket or a later one, unless data were lost in
    between."""
    newest, arrived = None, sorted(shared_pages(scenario), key=lambda answer: answer["end"])
    later = iter(arrived)
    last = next(later, None)
    for answer in sorted(arrived, key=lambda answer: answer["start"]):
        while last and last["end"] < answer["start"] - scenario.copy_s():
            if not newest or last["bucket"] >= newest["bucket"] or scenario.during(newest["start"], last["end"], LOSSES):
                newest = last
            last = next(later, None)
        if newest and answer["bucket"] < newest["bucket"]:
            if not scenario.during(newest["start"], answer["end"], LOSSES):
                yield f"{answer['path']} at {answer['start']:.3f} is of bucket {answer['bucket']}, after {newest['bucket']}"


def history_is_complete(scenario):
    """I8: ids rise, and each committed bucket is there; twice committed is there once."""
    ids = [tuple(map(int, entry["id"].split("-"))) for entry in scenario.history]
    for before, after in zip(ids, ids[1:]):
        if after <= before:
            yield f"id {after} after {before}"
    present = {f"{ms}-{number}" for ms, number in ids}
    born = max((fault["until"] for fault in scenario.faults if fault["kind"] in ("loss", "emptied")), default=float("-inf"))
    expected = {commit["history_id"] for commit in scenario.commits if commit["t"] > born}
    yield from (f"the point {missing} is missing" for missing in sorted(expected - present))
    if born == float("-inf"):
        yield from (f"the point {extra} belongs to no commit" for extra in sorted(present - expected))


def archive_is_complete(scenario):
    """I13: of each committed bucket one moment, and none of another; of each window the first one, with its forecasts.

    A day is always kept; older ones are thinned from the old end on, so what is left has no gaps. What was committed before a loss
    may be lost with it, and with it which moment was the first of that window.
    """
    losses = [fault["until"] for fault in scenario.faults if fault["kind"] in ("loss", "emptied")]
    committed = times(commit["history_id"] for commit in scenario.commits)
    safe = times(commit["history_id"] for commit in scenario.commits if commit["t"] > max(losses, default=float("-inf")))
    begun = window(safe[0]) + 1 if losses and safe else scenario.settings.get("first_window", 0)
    for stream in ("full", "thin", "forecasts"):
        ids = [entry["id"] for entry in scenario.archive if entry["stream"] == stream]
        thin = stream != "full"
        found = [ms for ms in times(ids) if not thin or window(ms) >= begun]
        yield from (f"{stream}: {after} after {before}" for before, after in zip(ids, ids[1:]) if number(after)[0] <= number(before)[0])
        yield from (f"{stream}: {missing} is missing" for missing in absent(found, firsts(safe, begun) if thin else safe))
        if not losses:
            expected = firsts(committed, begun) if thin else committed
            yield from (f"{stream}: {extra} was not to be kept" for extra in sorted(set(found) - set(expected)))


def number(history_id):
    return tuple(map(int, history_id.split("-")))


def times(ids):
    """In ms, each once, in their order."""
    return sorted({number(entry)[0] for entry in ids})


def window(ms):
    return ms // WINDOW_MS


def firsts(committed, begun):
    """The first one of each window from that one on."""
    first = {}
    for ms in committed:
        first.setdefault(window(ms), ms)
    return [ms for number, ms in first.items() if number >= begun]


def absent(found, expected):
    """What is missing of the last day, and of what is left of older times."""
    kept_from = min([*found[:1], *(ms - DAY_MS for ms in expected[-1:])], default=0)
    return sorted({ms for ms in expected if ms >= kept_from} - set(found))


def flushed_is_marked(scenario):
    """I9: an answer to a request after a flush is newer than it, or says that it is stale. A worker that finds Redis down,
    or late on a busy machine, does not know of the flush, and at first shows its own snapshot unmarked."""
    flushes = sorted(fault["t"] for fault in scenario.faults if fault["kind"] in ("flush", "deletion", "emptied"))
    for answer in pages(scenario):
        before = bisect_left(flushes, answer["start"] - (GRACE_S if answer["cache"] == "local" else scenario.copy_s()))
        gen = (answer["gen_ms"] + 1) / 1000 - scenario.settings["wall"]  # known to the millisecond
        if answer["cache"] == "local" and scenario.during(answer["start"] - GRACE_S, answer["start"], OUTAGES):
            continue
        if before and gen < flushes[before - 1] and "stale" not in answer["says"]:
            yield f"{answer['path']} at {answer['start']:.3f} is from {gen:.3f}, before the flush at {flushes[before - 1]:.3f}, unmarked"


def whole_bodies(scenario):
    """I10: a HEAD has the length of the GET and no body; 304 and 204 have none."""
    for answer in scenario.answers:
        if answer["status"] == 0:
            continue
        expected = 0 if answer["method"] == "HEAD" or answer["status"] in (204, 304) else answer["announced"]
        if expected is None:
            yield f"{answer['path']} has no Content-Length"
        elif expected != answer["length"]:
            yield f"{answer['path']} announced {expected} bytes and sent {answer['length']}"


def keys_expire(scenario):
    """I11: and there is a limited number of them, except for the history and what each host counts."""
    bound = 4 * scenario.settings["routes"] + 8 * GROUPS + 4
    for sample in scenario.samples:
        for key, ttl in sample["keys"].items():
            if ttl == -1 and key not in ENDLESS:
                yield f"{key} never expires"
            elif ttl != -1 and key.startswith("tfthist:"):
                yield f"{key} expires, and should be kept"
        count = sum(not key.startswith(("tfthist:", "tft:node:", "tft:s:")) for key in sample["keys"])
        if count > bound:
            yield f"{count} keys at {sample['t']:.1f}, {bound} are allowed"


def workers_come_back(scenario):
    """I12"""
    for sample in scenario.samples if scenario.settings["workers"] else []:
        if sample["workers"] != scenario.settings["workers"]:
            if not scenario.during(sample["t"] - RESTART_S, sample["t"], ["death", "restart"]):
                yield f"{sample['workers']} workers at {sample['t']:.1f} instead of {scenario.settings['workers']}"


def content_is_constant(scenario):
    """I14: whatever happens, and whoever answers: of the same data a page says the same, but for its state.

    What hosts fetch on their own while Redis is away is not the same, though it may be of the same millisecond.
    """
    first = {}
    for answer in pages(scenario):
        if answer.get("content") is None:
            continue
        owner = answer["node"] if answer["cache"] == "local" else None
        same = first.setdefault((answer["path"], answer["gen_ms"], owner), answer)
        if answer["content"] != same["content"]:
            yield f"{answer['path']} says another thing at {answer['start']:.3f} than at {same['start']:.3f}, of the same data"


INVARIANTS = {
    "I0": every_request_is_answered,
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
    "I12": workers_come_back,
    "I13": archive_is_complete,
    "I14": content_is_constant,
}


def violations(scenario):
    return [f"{name}: {text}" for name, check in INVARIANTS.items() for text in check(scenario)]


def shortened(found, each=5):
    """At most this many of each invariant, and the number of the others."""
    for name, count in Counter(text.partition(":")[0] for text in found).items():
        mine = [text for text in found if text.partition(":")[0] == name]
        yield from mine[:each]
        if count > each:
            yield f"{name}: {count - each} more"


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
