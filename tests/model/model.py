# SPDX-License-Identifier: MIT
"""What the shared cache must answer and contain, written from the protocol's rules (redis/KEYS.md) and not from its scripts.

Every method is one script call or one event in Redis. It returns the expected answer; `cells` has the expected contents of Redis
afterwards. Times are milliseconds of Redis' clock unless the name says us.
"""
import hashlib
import pathlib
import re
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The scripts and the model get words and limits from one source, the C files.
LIMITS = dict(re.findall(r"#define PROTOCOL_(\w+) +(\d+)", (ROOT / "include/cache/protocol.h").read_text()))
TABLE = (ROOT / "src/fleet/condition.c").read_text().partition("reason_table[REASON_COUNT] = {")[2]
SLUGS = dict(re.findall(r'\[REASON_(\w+)\] = \{"([a-z0-9-]+)"', TABLE))
ANSWERS = (SLUGS["WARMING"],)  # which are not faults
UNREACHABLE = (SLUGS["CONNECT"], SLUGS["NAME"])  # which an answer of the daemon disproves
WINDOW = int(LIMITS["WINDOW_MS"])  # of the budget
STAGED_TTL = int(LIMITS["STAGED_MS"])
LONGEST_BACKOFF = int(LIMITS["BACKOFF_MS"])
LONGEST_EPOCH = int(LIMITS["EPOCH_BYTES"])
# The scripts define these themselves.
BREAKER_TTL = 900_000
FLUSH_GAP = 5_000
BELIEVED_OPENING = 600_000  # a breaker that is open for longer comes from a clock that has since been set back
HISTORY, HOURS, RISKS, OWNER = "tfthist:fleet", "tfthist:hours", "tfthist:risk", "tfthist:upstream"
RISK_HOURS = "tfthist:riskhours"
FULL, THIN, FORECASTS, INCIDENTS = "tfthist:full", "tfthist:thin", "tfthist:forecasts", "tfthist:incidents"
SCORES = "tfthist:accuracy"
WARNINGS, OUTCOMES, WATCH = "tfthist:warnings", "tfthist:outcomes", "tfthist:watch"
POINTER = "tft:cur:fleet"
FLEETS = ("00000000000000aa", "00000000000000bb")  # fingerprints of two fleets
HOUR = 3_600_000
WINDOW_OF_MOMENTS = int(LIMITS["THIN_MS"])
GATE = "tft:gate:flush"
# Written by another program: a type that the protocol never uses, and values that it never has.
JUNK = "zset"
GARBAGE = ("", "nan", "9" * 20, "x" * 40)


@dataclass(frozen=True)
class Group:
    name: str
    interval: int
    lease: int
    calls: int  # in any WINDOW
    routes: tuple
    max_stale: int

    @property
    def history(self):
        return self.name == "fleet"

    def key(self, what):
        return f"tft:{what}:{self.name}"


@dataclass(frozen=True)
class Claim:
    """What the winner of a claim knows."""

    group: Group
    token: str
    bucket: int
    epoch: str
    gen: int
    snap: str
    record: str  # for the history: of the fleet
    names: str  # and of each server
    risks: str
    fleet: str  # the fleet that its worker belongs to
    closed: tuple  # incidents that have ended
    scores: str  # of forecasts, those of the hour; empty: none are new
    warnings: str  # what came of them, counted by the hour; empty: none are new
    told: tuple  # and one by one

    @property
    def lock(self):
        return f"{self.token}|{self.bucket}|{self.epoch}"

    def staged(self, route):
        return f"tft:s:{self.token}:{route}"


class Cell:
    """The value of one key, never changed in place. until: the last millisecond of its life, None for ever."""

    __slots__ = ("kind", "value", "until", "line")

    def __init__(self, key, kind, value, until=None):
        self.kind, self.value, self.until = kind, value, until
        self.line = f"{key}|{kind}|{-1 if until is None else until}|{WRITTEN[kind](value)}"


WRITTEN = {
    "hash": lambda fields: " ".join(sorted(f"{field}={value}" for field, value in fields.items())),
    "list": lambda items: " ".join(map(str, items)),
    "string": str,
    "stream": lambda entries: "{}-{} {}".format(entries[-1][0], len([at for at, _ in entries if at == entries[-1][0]]) - 1, entries[-1][1]),
    JUNK: lambda _: "",
}
WRONG_TYPE = ["error", "WRONGTYPE"]


def number(value):
    """-1 for a value that is missing or not a number, which another program wrote."""
    return int(value) if str(value).isdigit() else -1


def counted(value, by):
    """A count that is not a number, or too large to be incremented, starts again."""
    total = max(0, number(value)) + by
    return total if total < 2**63 else by


def plain(epoch):
    """True for an epoch that a worker can store."""
    return len(epoch) <= LONGEST_EPOCH and re.fullmatch("[0-9A-Za-z-]+", epoch)


def fingerprint(name):
    return name if re.fullmatch("[0-9a-f]{16}", str(name)) else None


class WrongType(Exception):
    """The operation met a key that another program has overwritten."""


def checked(operation):
    """An operation on a key of the wrong type is refused before it changes anything."""

    def wrapper(*arguments):
        try:
            return operation(*arguments)
        except WrongType:
            return WRONG_TYPE

    return wrapper


class Model:
    def __init__(self):
        self.cells = {}
        self.now_us = self.now = 0

    def set_time(self, us):
        self.now_us, self.now = us, us // 1000
        for key in [key for key, cell in self.cells.items() if cell.until is not None and cell.until < self.now]:
            del self.cells[key]

    def lines(self):
        return sorted(cell.line for cell in self.cells.values())

    # Keys

    def put(self, key, kind, value, ttl=None):
        self.cells[key] = Cell(key, kind, value, None if ttl is None else self.now + ttl)

    def read(self, key, default):
        cell = self.cells.get(key)
        if cell is None:
            return default
        if cell.kind == JUNK:
            raise WrongType
        return cell.value

    def spoil_field(self, key, field, value):
        cell = self.cells[key]
        self.cells[key] = Cell(key, "hash", {**cell.value, field: value}, cell.until)

    def spoil_item(self, key, index, value):
        cell = self.cells[key]
        self.cells[key] = Cell(key, "list", [*cell.value[:index], value, *cell.value[index + 1 :]], cell.until)

    def delete(self, *keys):
        for key in keys:
            self.cells.pop(key, None)

    def heal_type(self, key):
        if key in self.cells and self.cells[key].kind == JUNK:
            self.delete(key)

    def held(self, key, longest):
        """For how long a key blocks others, if it may not live longer than `longest`; None if it does not block."""
        cell = self.cells.get(key)
        if cell is None or cell.until is None or cell.until - self.now > longest:
            return None
        return cell.until - self.now

    # The protocol

    def claim(self, group, token, fleet):
        for key in (*map(group.key, ("cur", "lock", "brk", "budget", "epoch")), OWNER, POINTER):
            self.heal_type(key)
        owner = self.owner(group, fleet)
        if owner != fleet:
            return ["foreign", owner]
        bucket = self.now // group.interval
        if not plain(self.read(group.key("epoch"), "")):
            self.put(group.key("epoch"), "string", str(self.now_us))
        epoch = self.read(group.key("epoch"), None)
        told = [bucket, self.now, epoch]

        pointer = self.read(group.key("cur"), {})
        if (pointer.get("bucket"), pointer.get("epoch")) == (bucket, epoch):
            return ["fresh", *told]
        wait = number(self.read(group.key("brk"), {}).get("open_until")) - self.now
        if 0 < wait <= BELIEVED_OPENING:
            return ["open", *told, wait]
        wait = self.budget_wait(group)
        if wait:
            return ["budget", *told, wait]
        wait = self.held(group.key("lock"), group.lease)
        if wait is not None:
            return ["busy", *told, wait]
        self.put(group.key("lock"), "string", f"{token}|{bucket}|{epoch}", group.lease)
        spent = [self.now, *self.read(group.key("budget"), [])]
        self.put(group.key("budget"), "list", spent[: group.calls], 2 * WINDOW)
        return ["won", *told]

    def owner(self, group, fleet):
        """The fleet that owns the cache: as stored beside the history, else in the pointer of the predictions, else the
        first that asks. A pointer of another fleet counts as absent."""
        kept, shown = fingerprint(self.read(OWNER, None)), fingerprint(self.read(POINTER, {}).get("upstream"))
        owner = kept or shown or fleet
        if not kept:
            self.put(OWNER, "string", owner)
        for key in (group.key("cur"), POINTER):
            pointer = self.read(key, {})
            if fingerprint(pointer.get("upstream")) not in (None, owner):
                pointer = {}
            self.put(key, "hash", {**pointer, "upstream": owner})
        return owner

    def budget_wait(self, group):
        """Time until a call is free; a list with times in the future is deleted."""
        spent = self.read(group.key("budget"), [])
        if len(spent) < group.calls:
            return 0
        oldest = number(spent[group.calls - 1])
        if oldest > self.now:
            self.delete(group.key("budget"))
            return 0
        return max(0, oldest + WINDOW - self.now)

    @checked
    def extend(self, claim):
        key = claim.group.key("lock")
        if self.read(key, None) != claim.lock:
            return ["lost"]
        self.put(key, "string", claim.lock, claim.group.lease)
        return ["ok"]

    @checked
    def stage(self, claim, route, fields):
        key = claim.staged(route)
        self.put(key, "hash", {**self.read(key, {}), **fields}, STAGED_TTL)
        return ["ok"]

    @checked
    def commit(self, claim, fill, seen, beside):
        group = claim.group
        lock = self.read(group.key("lock"), None)
        if OWNER not in self.cells:
            self.put(OWNER, "string", claim.fleet)
        if self.read(OWNER, None) != claim.fleet:
            return [*self.refuse(claim, "foreign"), self.read(OWNER, None)]
        if lock not in (None, claim.lock):
            return self.refuse(claim, "lost")
        if self.read(group.key("epoch"), None) != claim.epoch:
            return self.refuse(claim, "flushed")
        current = number(self.read(group.key("cur"), {}).get("bucket"))
        if current > self.now // group.interval:  # from a clock that has since been set back
            current = -1
        if lock is None and current >= claim.bucket:
            return self.refuse(claim, "old")
        if any(claim.staged(route) not in self.cells for route in group.routes):
            return self.refuse(claim, "missing")

        for route in group.routes:
            cell = self.cells.pop(claim.staged(route))
            self.put(f"tft:{route}:{claim.bucket}", cell.kind, cell.value, group.max_stale)
        pointer = {"bucket": claim.bucket, "epoch": claim.epoch, "gen": claim.gen, "snap": claim.snap, "fill": fill, "upstream": claim.fleet}
        self.put(group.key("cur"), "hash", pointer)
        if lock is not None:
            self.delete(group.key("lock"), group.key("brk"))
        for route in group.routes:
            key = f"tft:{route}:{current}"
            if current != claim.bucket and key in self.cells:
                self.put(key, self.cells[key].kind, self.cells[key].value, 2 * group.interval)
        return ["ok", current, *(self.add_point(claim, seen, beside) if group.history else ["hist-none"])]

    def refuse(self, claim, why):
        self.delete(*map(claim.staged, claim.group.routes))
        if self.read(claim.group.key("lock"), None) == claim.lock:
            self.delete(claim.group.key("lock"))
        return [why]

    def add_point(self, claim, seen, beside):
        """One point per bucket, in order of time. The first point of an hour closes the last hour that has points."""
        at = claim.bucket * claim.group.interval
        points = self.read(HISTORY, [])
        if points and at <= points[-1][0]:
            return ["hist-dup"] if at == points[-1][0] else ["hist-ahead", str(points[-1][0])]
        self.put(HISTORY, "stream", [*points, (at, f"d {claim.record}")])
        if points and points[-1][0] // HOUR < at // HOUR:
            start = points[-1][0] // HOUR * HOUR
            lines = [f"{time} {text[2:]}" for time, text in points if time >= start]
            self.put(HOURS, "stream", [(start, "d " + ";".join(lines))])
        self.add_risks(at, claim)
        self.add_moment(at, claim, seen, beside)
        return ["hist-new"]

    def add_risks(self, at, claim):
        """The servers' names are repeated only when they have changed, and once an hour. The first point after an hour closes
        it, with one entry for each list of names in a row; the points of the hour before stay."""
        digest = hashlib.sha1(claim.names.encode()).hexdigest()[:8]
        rows, closed = self.read(RISKS, []), self.read(RISK_HOURS, [])
        known = rows and rows[-1][0] // HOUR == at // HOUR and rows[-1][1].startswith(f"s {digest} ")
        text = f"s {digest} r {claim.risks}"
        row = (at, text if known else f"{text} n {claim.names}")
        to_close = [time // HOUR for time, _ in rows if time // HOUR < at // HOUR and not (closed and time // HOUR <= closed[-1][0] // HOUR)]
        oldest = min([at // HOUR - 1, *to_close[:1]]) * HOUR
        rows = [*[old for old in rows if old[0] >= oldest], row]
        self.put(RISKS, "stream", rows)
        if to_close:
            start = to_close[0] * HOUR
            hour = [(time, *text.split(" ", 5)) for time, text in rows if start <= time < start + HOUR]
            entries = []
            for time, _, s, _, r, *n in hour:
                if not entries or entries[-1][0] != s:
                    entries.append((s, n[1], []))
                entries[-1][2].append(f"{time} {r}")
            self.put(RISK_HOURS, "stream", [*closed, *((start, f"s {s} r {';'.join(lines)} n {n}") for s, n, lines in entries)])

    def add_moment(self, at, claim, seen, beside):
        """The first moment of each window is kept for long, with the forecasts; the others beside it, if it was seen. A step of
        the incidents and the scores count if they were taken from the last moment; otherwise what was open stays open, and
        nothing is scored."""
        last, full = self.read(THIN, []), self.read(FULL, [])
        step = seen == (full[-1][0] if full else 0)
        stays = full[-1][1].partition(" o ")[2] if full else ""
        open_now = f"O{claim.record}" if step else stays
        if not last or last[-1][0] // WINDOW_OF_MOMENTS < at // WINDOW_OF_MOMENTS:
            record = ""
            self.put(THIN, "stream", [*last, (at, f"t M{claim.record} o {open_now}")])
            self.put(FORECASTS, "stream", [*self.read(FORECASTS, []), (at, f"f F{claim.record}")])
        else:
            record = f"{'B' if last[-1][0] == beside else 'M'}{claim.record}"
        self.put(FULL, "stream", [*full, (at, f"m {record} o {open_now}")])

        if step and claim.closed:
            self.put(INCIDENTS, "stream", [*self.read(INCIDENTS, []), *((at, f"i {line}") for line in claim.closed)])
        if step and claim.scores:
            self.put(SCORES, "stream", [(at, f"a {claim.scores}")])
        if step:
            self.add_warnings(at, claim)

    def add_warnings(self, at, claim):
        if claim.warnings:
            self.put(WARNINGS, "stream", [(at, f"w {claim.warnings}")])
        if claim.told:
            self.put(OUTCOMES, "stream", [*self.read(OUTCOMES, []), *((at, f"l {line}") for line in claim.told)])
        self.put(WATCH, "stream", [(at, f"s W{claim.record}")])

    @checked
    def fail(self, claim, reason, retry_after):
        group = claim.group
        if self.read(group.key("lock"), None) != claim.lock:
            return ["lost"]
        before = self.read(group.key("brk"), {})
        failures = 0 if reason in ANSWERS else counted(before.get("n"), 1)
        next_bucket = (self.now // group.interval + 1) * group.interval
        backoff = min(LONGEST_BACKOFF, group.interval * 2 ** (failures - 1)) if failures > 1 else 0
        wait = max(next_bucket - self.now, backoff, retry_after)
        since = before.get("since") if before.get("code") == reason else None
        since = self.now if number(since) < 0 else since
        breaker = {"n": failures, "open_until": self.now + wait, "code": reason, "since": since}
        self.put(group.key("brk"), "hash", breaker, BREAKER_TTL)
        self.delete(group.key("lock"))
        return ["backoff", failures, wait]

    def reopen(self, group):
        """The daemon has answered another request: a breaker that this contradicts allows one attempt."""
        key = group.key("brk")
        if key not in self.cells or self.cells[key].kind != "hash" or self.cells[key].value.get("code") not in UNREACHABLE:
            return ["kept"]
        self.spoil_field(key, "open_until", 0)
        return ["ok"]

    def note(self, group, record, keep, ttl):
        key = group.key("calls")
        self.heal_type(key)
        self.put(key, "list", [record, *self.read(key, [])][:keep], ttl)
        return ["ok"]

    def count(self, keys, numbers, ttl):
        for key in keys:
            self.heal_type(key)
            sums = self.read(key, {})
            grown = {name: counted(sums.get(name), more) for name, more in numbers.items()}
            self.put(key, "hash", {**sums, **grown}, ttl)
        return ["ok"]

    def adopt(self, groups, fleet):
        """From now on the contents belong to this fleet."""
        before = self.read(OWNER, "none")
        self.put(OWNER, "string", fleet)
        for group in groups:
            cell = self.cells.get(group.key("cur"))
            if cell is None or cell.kind == "hash":
                self.put(group.key("cur"), "hash", {**(cell.value if cell else {}), "upstream": fleet})
        return ["ok", before]

    def flush(self, groups):
        wait = self.held(GATE, FLUSH_GAP)
        if wait is not None:
            return ["limited", wait]
        self.put(GATE, "string", "1", FLUSH_GAP)
        for group in groups:
            self.put(group.key("epoch"), "string", str(self.now_us))
        return ["ok", str(self.now_us)]
