# SPDX-License-Identifier: MIT
"""Outcomes of warnings, written from doc/rules.md#warnings alone: no part of it is shared with the program."""
import struct

from scores import HOUR, PROFILES

MINUTE = 60_000
LATE, AWAY = 150_000, 300_000
OUTCOMES = ("hit", "miss", "false-alarm", "unknown")
# Kind, metric, limit, that of a database.
LIMITS = (
    ("risk", "cpu", 90, 90), ("risk", "iowait", 10, 10), ("risk", "memory", 95, 98), ("risk", "load", 8, 8),
    ("warning", "cpu_user", 85, 85), ("critical", "cpu_user", 95, 95), ("warning", "memory", 90, 90), ("critical", "memory", 98, 98),
    ("warning", "iowait", 20, 20), ("critical", "iowait", 30, 30), ("warning", "swap", 25, 25), ("critical", "swap", 50, 50),
    ("warning", "disk", 85, 85), ("critical", "disk", 95, 95),
)  # fmt: skip
PREFIX = {"ppml": "ml", "ppdb": "db", "ppweb": "web", "ppapi": "web", "ppcon": "con", "ppetl": "etl", "pprisk": "risk"}


def profile_of(name):
    return next((slug for prefix, slug in PREFIX.items() if name.startswith(prefix)), "gen")


def horizon(limit):
    return (30 if LIMITS[limit][0] == "risk" else 60) * MINUTE


def reaches(limit, profile, value):
    kind, metric, usual, database = LIMITS[limit]
    at = database if profile == "db" else usual
    return value > at if metric == "load" else value >= at


class Warned:
    """Bucket after bucket; what is known of a server and a limit is in one of three places at most."""

    def __init__(self):
        self.below, self.open, self.reached = {}, {}, {}  # each: when
        self.last = None
        self.hours, self.told = {}, []  # counts by hour, limit and profile; every outcome

    def count(self, now, key, outcome, warned=0):
        name, limit = key
        sums = self.hours.setdefault(now // HOUR * HOUR, {}).setdefault((limit, profile_of(name)), {one: 0 for one in OUTCOMES} | {"leads": {}})
        sums[outcome] += 1
        if outcome == "hit":
            lead = (now - warned) // MINUTE
            sums["leads"][lead] = sums["leads"].get(lead, 0) + 1
        self.told.append((now, name, limit, outcome, warned))

    def bucket(self, now, seen):
        """seen: {(name, limit): (present value, whether the forecast reaches the limit)}; what is not known is not there."""
        for key in sorted({*seen, *self.below, *self.open, *self.reached}, key=lambda key: (key[0].encode(), key[1])):
            self.one(now, key, *seen.get(key, (None, False)))
        self.last = now

    def one(self, now, key, value, warns):
        name, limit = key
        known, at = value is not None, value is not None and reaches(limit, profile_of(name), value)
        was_below = self.below.pop(key, None)
        if key in self.open:
            warned = self.open[key]
            due = warned + horizon(limit)
            if now - due >= LATE:
                self.count(now, key, "unknown", warned)
            elif at:
                self.count(now, key, "hit", warned)
            elif known and now >= due:
                self.count(now, key, "false-alarm", warned)
            else:
                return
            del self.open[key]
        elif at and was_below is not None and now - was_below <= horizon(limit):
            self.count(now, key, "miss")
        if at:
            self.reached[key] = now
        elif key in self.reached and now - self.reached[key] < AWAY:
            pass
        else:
            self.reached.pop(key, None)
            if known and warns:
                self.open[key] = now
            elif known:
                self.below[key] = now


def decode(record):
    """(start of the hour, counts by limit and profile); doc/cache.md#warnings."""
    assert record[:5] == b"TFTw\x01"
    at, rest = struct.unpack("<q", record[13:21])[0], record[21:]

    def byte():
        nonlocal rest
        first, rest = rest[0], rest[1:]
        return first

    def number():
        value = shift = 0
        while True:
            one = byte()
            value |= (one & 127) << shift
            shift += 7
            if one < 128:
                return value >> 1

    cells = {}
    while rest:
        limit, profile = divmod(byte(), len(PROFILES))
        sums = {outcome: number() for outcome in OUTCOMES} | {"leads": {}}
        while (lead := byte()) < 64:
            sums["leads"][lead] = number()
        cells[limit, PROFILES[profile]] = sums
    return at, cells


def add(sums, more):
    """Counts of one cell to those of another."""
    for outcome in OUTCOMES:
        sums[outcome] = sums.get(outcome, 0) + more[outcome]
    leads = sums.setdefault("leads", {})
    for lead, count in more["leads"].items():
        leads[lead] = leads.get(lead, 0) + count


def share(part, rest):
    return part / (part + rest) if part + rest else None


def median(leads):
    every = sorted(lead for lead, count in leads.items() for _ in range(count))
    return every[(len(every) - 1) // 2] if every else None
