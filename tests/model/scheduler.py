# SPDX-License-Identifier: MIT
"""Drives the scripts at random: workers that claim, die, stop and come back late, operators that flush and delete, a clock that
stands, moves to the edge of an expiry, jumps and is set back. Each answer and the contents of Redis are compared with the model,
and the invariants are checked as well.
"""
import random
import re
from collections import Counter, deque

from model import (
    ANSWERS, FLEETS, FLUSH_GAP, FORECASTS, FULL, INCIDENTS, THIN, WINDOW_OF_MOMENTS, GARBAGE, GATE, HISTORY, HOURS, JUNK, LIMITS, LONGEST_BACKOFF, LONGEST_EPOCH, OWNER, POINTER, RISKS, RISK_HOURS,
    OUTCOMES, SCORES, SLUGS, STAGED_TTL, UNREACHABLE, WARNINGS, WATCH, WINDOW, Claim, Group, Model, fingerprint,
)  # fmt: skip
from watch import Violation, Watch

EPISODE = 1_000  # steps with the same groups and probabilities
REASONS = (*ANSWERS, *UNREACHABLE, SLUGS["TIMEOUT"], SLUGS["KEY"])
CALL_START_LIMIT = int(LIMITS["START_MS"])  # ms: a worker that is stopped for longer after its claim does not call
HISTORY_LENGTH = 1_000_000  # long enough that nothing is trimmed within an episode
DAY = 86_400_000
NOTES = 5
SPOILT = ("tft:cur:", "tft:lock:", "tft:brk:", "tft:budget:", "tft:epoch:", "tft:calls:", "tft:node", GATE, OWNER)
REFRESH_KEYS = ("cur", "lock", "brk", "epoch")

# The weight of each action in an episode of that kind.
HABITS = {
    "calm": {"work": 80, "pass_time": 20, "count": 1},
    "rough": {
        "work": 80, "pass_time": 20, "die": 1, "stop": 2, "resume": 2, "flush": 1, "flush_one": 0.5, "delete_key": 1,
        "overwrite_key": 1, "spoil_value": 2, "delete_all": 0.2, "sweep": 0.3, "forget_all": 0.1, "forget_scripts": 0.1, "out_of_memory": 1,
        "step_clock": 0.2, "reopen": 1, "adopt": 0.3, "forget_owner": 0.3,
    },
    "stormy": {
        "work": 80, "pass_time": 12, "adopt": 1, "forget_owner": 1, "die": 3, "stop": 6, "resume": 5, "flush": 5, "flush_one": 5, "delete_key": 5,
        "overwrite_key": 5, "spoil_value": 5, "delete_all": 1, "sweep": 1, "forget_all": 0.5, "forget_scripts": 0.5, "out_of_memory": 3,
        "step_clock": 1, "reopen": 15,
    },
    "unsteady": {"work": 80, "pass_time": 20, "stop": 3, "resume": 3, "step_clock": 2, "delete_lock": 3},
    "garbage": {"work": 80, "pass_time": 15, "spoil_value": 10, "overwrite_key": 1, "flush": 1, "count": 3},
    "deletions": {"work": 80, "pass_time": 10, "stop": 2, "resume": 2, "delete_all": 3, "sweep": 3, "flush": 1},
}  # fmt: skip


class Difference(Exception):
    """Redis does not agree with the model."""


class Failure(Exception):
    """With everything that is needed to reproduce it."""


class Worker:
    def __init__(self, name):
        self.name = name
        self.stopped = False
        self.forget()

    def forget(self):
        self.claim = None
        self.plan = []
        self.lost_at = None


class Run:
    """compare: with the model; without it only the invariants decide, which shows that they can."""

    def __init__(self, server, seed, compare=True):
        self.server, self.seed, self.compare = server, seed, compare
        self.random = random.Random(seed)
        self.us = 1_700_000_000_000_000
        self.mono = 0  # ms, never set back
        self.claims = self.step = 0
        self.story = deque(maxlen=30)
        self.answers = Counter()
        self.deleting = None

    def steps(self, count):
        try:
            for self.step in range(count):
                if self.step % EPISODE == 0:
                    self.begin_episode()
                self.advance(self.random.randint(1, 300))
                getattr(self, self.random.choices(self.actions, self.weights)[0])()
                self.look()
            self.end_episode()
        except (Difference, Violation) as problem:
            story = "\n".join(self.story)
            raise Failure(f"{problem}\nseed {self.seed}, step {self.step}; the last operations:\n{story}") from None

    # Episodes

    def begin_episode(self):
        if self.step:
            self.end_episode()
        self.server.command("FLUSHALL")
        routes = {"fleet": ("overview", "heatmap", "fleet")}
        routes |= {name: (name,) for name in ("status", "scenario", "alerts", "alertmanager")}
        self.groups = [self.make_group(name, names) for name, names in routes.items()]
        self.model, self.watch = Model(), Watch(self.groups)
        self.workers = [Worker(f"w{i}") for i in range(self.random.randint(1, 8))]
        self.deleting = None
        self.lines = []
        name = self.random.choice(list(HABITS))
        self.actions, self.weights = list(HABITS[name]), list(HABITS[name].values())
        self.failing = self.random.choice((0.05, 0.3, 0.8))
        self.story.append(f"--- {name}: {self.groups}")
        self.set_clock(self.us)

    def make_group(self, name, routes):
        chance = self.random.choice
        return Group(
            name, chance((2_000, 5_000, 30_000)), chance((3_000, 4_000, 17_000)), chance((3, 8, 26)), routes,
            chance((60_000, 3_600_000)),
        )  # fmt: skip

    def end_episode(self):
        found = self.server.command("XRANGE", HISTORY, "-", "+") if self.server.command("EXISTS", HISTORY) else []
        self.watch.check_history([item[0].decode() for item in found])

    # Time

    def set_clock(self, us):
        self.us = us
        self.server.set_time(us)
        self.model.set_time(us)
        self.watch.now = us // 1000

    def advance(self, us):
        self.mono += us / 1000
        self.set_clock(self.us + us)

    def pass_time(self):
        kind = self.random.choices(("little", "edge", "second", "minute", "hour"), (40, 40, 12, 6, 0.5))[0]
        if kind == "edge":
            edge = self.random.choice(self.edges()) + self.random.choice((-1, 0, 1))
            us = edge * 1000 + self.random.randrange(1000) - self.us
            if not 0 < us < 600_000_000:
                return
        else:
            us = self.random.randint(1, {"little": 50, "second": 2_000, "minute": 60_000, "hour": 4_000_000}[kind]) * 1000
        self.tell(f"{us / 1000:.3f} ms pass")
        self.advance(us)

    def edges(self):
        """Times at which something changes: buckets, expiries, the breaker's end, the budget's window."""
        now = self.us // 1000
        times = [(now // group.interval + 1) * group.interval for group in self.groups]
        for line in self.lines:
            key, _, until, value = line.split("|", 3)
            times.append(int(until))
            if key.startswith("tft:brk:"):
                times += [int(pair[11:]) for pair in value.split() if re.fullmatch("open_until=[0-9]+", pair)]
            elif key.startswith("tft:budget:") and value:
                times += [int(item) + WINDOW for item in value.split() if item.isdigit()]
            elif key == GATE:
                times.append(int(until) - FLUSH_GAP)
            elif key.startswith("tft:lock:"):
                times += [int(until) - group.lease for group in self.groups if key == group.key("lock")]
        return [time for time in times if time > now] or [now]

    def step_clock(self):
        seconds = self.random.choice((1, -1, 20, -20, 3_600, -3_600, -700)) + self.random.random()
        self.tell(f"the clock steps by {seconds:.3f} s")
        self.server.command("SCAN", 0, "COUNT", 10_000)  # otherwise what has expired unnoticed would come back to life
        self.watch.step_clock(seconds < 0)
        self.set_clock(self.us + int(seconds * 1_000_000))

    # Questions

    def tell(self, text):
        self.story.append(f"{self.step} {self.us / 1e6:.6f} {text}")

    def ask(self, who, script, keys, arguments, foretell, refused=False):
        answer = self.server.call(script, keys, arguments)
        self.answers[script, self.verdict(script, answer)] += 1
        self.tell(f"{who} {script} {' '.join(map(str, arguments))} -> {answer}")
        if self.compare:
            expected = ["error", "OOM"] if refused else foretell()
            if answer != expected:
                raise Difference(f"{script} answered {answer}, expected {expected}")
        return answer

    @staticmethod
    def verdict(script, answer):
        """For the statistics."""
        if answer[0] == "error":
            return answer[1]
        return answer[2] if (script, answer[0]) == ("commit", "ok") else answer[0]

    def look(self):
        text = self.server.dump()
        self.lines = text.split("\n") if text else []
        if self.compare and self.lines != self.model.lines():
            have, want = set(self.lines), set(self.model.lines())
            raise Difference(f"Redis holds {sorted(have - want)}, expected {sorted(want - have)}")
        self.watch.look(self.lines)

    # Workers

    def work(self, refused=False):
        awake = [worker for worker in self.workers if not worker.stopped]
        if not awake:
            self.resume()
            return
        worker = self.random.choice(awake)
        if worker.claim is None:
            self.claim(worker, refused)
            return
        verb, *rest = worker.plan.pop(0)
        getattr(self, verb)(worker, *rest, refused)
        if not worker.plan:
            worker.forget()

    def claim(self, worker, refused):
        group = self.random.choice(self.groups)
        token = f"{self.random.getrandbits(64):016x}"
        fleet = FLEETS[self.random.random() < 0.1] if self.owner() is None else self.random.choices(FLEETS, self.odds())[0]
        keys = [group.key(what) for what in ("cur", "lock", "brk", "budget", "epoch")] + [OWNER, POINTER, f"tft:s:{token}:trial"]
        arguments = [token, group.lease, group.interval, group.calls, WINDOW, LONGEST_EPOCH, fleet]
        owners = {key: self.shown(key) for key in (group.key("cur"), POINTER)}
        answer = self.ask(
            worker.name, "claim", keys, arguments, lambda: self.model.claim(group, token, fleet), refused
        )
        for key, owner in owners.items():
            if owner not in (None, self.owner()):
                self.watch.lose(key)
        if answer[0] == "won":
            snap = f"{self.claims:08d}"
            names = self.random.choice(("ppdb001 ppml0001", "ppdb001 ppdb002 ppml0001"))
            worker.claim = Claim(
                group, token, answer[1], answer[3], answer[2], snap, f"p{snap}", names, f"r{snap}", fleet, self.some(f"I{snap}"),
                self.random.choice(("", f"A{snap}")), self.random.choice(("", f"N{snap}")), self.some(f"L{snap}"),
            )  # fmt: skip
            worker.lost_at = self.mono + CALL_START_LIMIT
            worker.plan = self.make_plan(group)
            self.claims += 1
            self.watch.won(worker.claim)

    def some(self, name):
        """Lines, often none."""
        return tuple(f"{name}.{n}" for n in range(self.random.choice((0, 0, 1, 3))))

    def owner(self):
        """The owner of the cache according to Redis."""
        lines = [line.split("|", 3) for line in self.lines if line.startswith(f"{OWNER}|string|")]
        return fingerprint(lines[0][3]) if lines else None

    def odds(self):
        """Most workers belong to the owner; those of the other fleet are a mistake."""
        return [12 if fleet == self.owner() else 1 for fleet in FLEETS]

    def shown(self, key):
        for line in self.lines:
            if line.startswith(f"{key}|hash|"):
                return fingerprint(dict(pair.split("=", 1) for pair in line.split("|", 3)[3].split(" ")).get("upstream"))
        return None

    def make_plan(self, group):
        staged = [("stage", route) for route in group.routes if self.random.random() < 0.97]
        middle = staged + self.random.choices(staged or [("extend",)], k=self.random.choice((0, 0, 2)))
        middle += [("extend",)] * self.random.choice((0, 0, 1, 3))
        self.random.shuffle(middle)
        end = ("fail",) if self.random.random() < self.failing else ("commit",)
        return [("call",), *(middle if end == ("commit",) else middle[:1]), end, ("note",)]

    def call(self, worker, refused):
        """Calls the upstream, unless it is too late for that."""
        if self.mono > worker.lost_at:
            self.tell(f"{worker.name} is too late and gives up")
            worker.forget()

    def extend(self, worker, refused):
        claim = worker.claim
        answer = self.ask(
            worker.name, "extend", [claim.group.key("lock")], [claim.lock, claim.group.lease],
            lambda: self.model.extend(claim), refused,
        )  # fmt: skip
        if answer[0] == "ok":
            self.watch.extended(claim)
        else:
            worker.forget()

    def stage(self, worker, route, refused):
        claim = worker.claim
        fields = {"snap": claim.snap, "body": f"{route}-{claim.token}"}
        self.ask(
            worker.name, "stage", [claim.staged(route)], [STAGED_TTL, *sum(fields.items(), ())],
            lambda: self.model.stage(claim, route, fields), refused,
        )  # fmt: skip

    def commit(self, worker, refused):
        claim, group = worker.claim, worker.claim.group
        keys = [group.key(what) for what in REFRESH_KEYS] + [HISTORY, HOURS, RISKS, OWNER, FULL, THIN, FORECASTS, INCIDENTS, SCORES, RISK_HOURS, WARNINGS, OUTCOMES, WATCH]
        keys += [claim.staged(route) for route in group.routes]
        keys += [f"tft:{route}:{claim.bucket}" for route in group.routes]
        length = HISTORY_LENGTH if group.history else 0
        seen, beside = self.last_moment(), self.thin_moment()
        named = {
            "entries": len(group.routes), "lock": claim.lock, "bucket": claim.bucket, "epoch": claim.epoch, "gen": claim.gen,
            "snap": claim.snap, "interval": group.interval, "ttl": group.max_stale, "old_ttl": 2 * group.interval, "fill": 900,
            "record": claim.record, "points": length, "names": claim.names, "risks": claim.risks, "kept": DAY,
            "upstream": claim.fleet,
            "bytes": 16 << 20, "moment": f"M{claim.record}", "beside": f"B{claim.record}", "beside_ms": beside, "forecasts": f"F{claim.record}",
            "full_kept": 30 * DAY, "thin_kept": 30 * DAY, "window": WINDOW_OF_MOMENTS,
            "seen": seen, "open": f"O{claim.record}", "closed": "\n".join(claim.closed), "ended": 10_000,
            "accuracy": claim.scores, "scored": 30 * DAY,
            "warnings": claim.warnings, "told": "\n".join(claim.told), "outcomes": 1000, "watch": f"W{claim.record}",
        }  # fmt: skip
        arguments = [word for pair in named.items() for word in pair]
        answer = self.ask(worker.name, "commit", keys, arguments, lambda: self.model.commit(claim, 900, seen, beside), refused)
        self.watch.ended(claim, answer)
        if answer[0] != "ok":
            worker.forget()

    def last_moment(self):
        """What a worker has read before its commit; sometimes another one has committed since, or the read failed."""
        last = self.server.command("XREVRANGE", FULL, "+", "-", "COUNT", 1)
        seen = int(last[0][0].partition(b"-")[0]) if last else 0
        return self.random.choice((0, -1, seen - 30_000)) if self.random.random() < 0.1 else seen

    def thin_moment(self):
        """Another worker may have committed the one of this window since."""
        last = self.server.command("XREVRANGE", THIN, "+", "-", "COUNT", 1)
        return int(last[0][0].partition(b"-")[0]) if last and self.random.random() < 0.9 else 0

    def fail(self, worker, refused):
        claim, group = worker.claim, worker.claim.group
        reason, retry = self.random.choice(REASONS), self.random.choice((0, 0, 7_000, 60_000, 300_000))
        answer = self.ask(
            worker.name, "fail", [group.key("brk"), group.key("lock")],
            [claim.lock, group.interval, LONGEST_BACKOFF, retry, reason, int(reason not in ANSWERS)],
            lambda: self.model.fail(claim, reason, retry), refused,
        )  # fmt: skip
        self.watch.ended(claim, answer)

    def reopen(self):
        group = self.random.choice(self.groups)
        answer = self.ask("status", "reopen", [group.key("brk")], UNREACHABLE, lambda: self.model.reopen(group))
        if answer[0] == "ok":
            self.watch.trouble(group)

    def note(self, worker, refused):
        group, record = worker.claim.group, f"call-{self.step}"
        self.ask(
            worker.name, "note", [group.key("calls")], [record, NOTES, DAY],
            lambda: self.model.note(group, record, NOTES, DAY), refused,
        )  # fmt: skip

    def count(self):
        node, series = self.random.choice(("web1", "web2")), self.random.choice(("hits", "errors"))
        keys = [f"tft:node:{node}", "tft:nodes"]
        number = self.random.randint(1, 9)
        self.ask(
            node, "count", keys, [DAY, series, number],
            lambda: self.model.count(keys, {series: number}, DAY),
        )  # fmt: skip

    # Faults of workers

    def die(self):
        """Another worker takes its place, and knows nothing."""
        worker = self.random.choice(self.workers)
        self.tell(f"{worker.name} dies")
        worker.forget()
        worker.stopped = False

    def stop(self):
        worker = self.random.choice(self.workers)
        self.tell(f"{worker.name} stops")
        worker.stopped = True

    def resume(self):
        for worker in self.workers:
            if worker.stopped and self.random.random() < 0.5:
                self.tell(f"{worker.name} goes on")
                worker.stopped = False

    # Operators

    def flush(self, groups=None):
        chosen = groups or self.groups
        arguments = [group.name for group in groups or []]
        answer = self.ask("operator", "flush", [], arguments, lambda: self.model.flush(chosen))
        if answer[0] == "ok":
            self.watch.flush(chosen, self.claims)

    def flush_one(self):
        self.flush([self.random.choice(self.groups)])

    def adopt(self):
        fleet = self.random.choice(FLEETS)
        self.ask("operator", "adopt", [], [fleet], lambda: self.model.adopt(self.groups, fleet))

    def forget_owner(self):
        """The history was deleted, including the name of the fleet."""
        self.tell(f"{OWNER} is deleted")
        self.server.command("UNLINK", OWNER)
        self.model.delete(OWNER)

    def cached(self):
        return [line.split("|", 1)[0] for line in self.lines if line.startswith("tft:")]

    def remove(self, *keys):
        if keys:
            self.server.command("UNLINK", *keys)
            self.model.delete(*keys)
        for key in keys:
            self.watch.lose(key)

    def delete_lock(self):
        self.delete_key("tft:lock:")

    def delete_key(self, prefix=""):
        keys = [key for key in self.cached() if key.startswith(prefix)]
        if keys:
            key = self.random.choice(keys)
            self.tell(f"{key} is deleted")
            self.remove(key)

    def overwrite_key(self):
        """Overwrites a key with a type that the protocol never uses."""
        if keys := self.cached():
            key = self.random.choice(keys)
            self.tell(f"{key} is overwritten")
            self.remove(key)
            self.server.command("ZADD", key, 1, "stranger")
            self.model.put(key, JUNK, None)

    def spoil_value(self):
        """Spoils a string, or one value of a list or hash. A string may lose its expiry, or get a long one."""
        keys = [line.split("|", 2)[:2] for line in self.lines if line.startswith(SPOILT)]
        keys = [(key, kind) for key, kind in keys if kind != JUNK and self.server.command("EXISTS", key)]
        if keys:
            (key, kind), value = self.random.choice(keys), self.random.choice(GARBAGE)
            self.tell(f"{key} is spoilt with {value!r}")
            getattr(self, f"spoil_{kind}")(key, value)
            self.watch.lose(key)

    def spoil_string(self, key, value):
        never = key.startswith("tft:epoch:")  # otherwise it would be lost once more when it expires
        ttl = None if never else self.random.choice((None, 50, 3_600_000))
        self.server.command("SET", key, value, *(() if ttl is None else ("PX", ttl)))
        self.model.put(key, "string", value, ttl)

    def spoil_hash(self, key, value):
        field = self.random.choice(sorted(self.server.command("HKEYS", key))).decode()
        self.server.command("HSET", key, field, value)
        if self.compare:
            self.model.spoil_field(key, field, value)

    def spoil_list(self, key, value):
        value = "" if value.isdigit() else value  # a time in the future would make Redis delete the budget as a whole, later
        index = self.random.randrange(self.server.command("LLEN", key))
        self.server.command("LSET", key, index, value)
        if self.compare:
            self.model.spoil_item(key, index, value)

    def delete_all(self):
        self.tell("tft:* is deleted at once")
        self.remove(*self.cached())
        self.watch.flush(self.groups, self.claims)

    def sweep(self):
        """Deletes tft:* while the workers continue: a few keys at a time, of those that existed at the beginning."""
        if self.deleting is None:
            keys = self.cached()
            self.random.shuffle(keys)
            self.deleting = (self.claims, keys)
        began, keys = self.deleting
        count = self.random.randint(1, 12)
        self.tell(f"sweep: {keys[:count]} are deleted")
        self.remove(*keys[:count])
        del keys[:count]
        if not keys:
            self.deleting = None
            self.watch.flush(self.groups, began)

    def forget_all(self):
        self.tell("FLUSHDB")
        self.remove(*self.cached())
        self.server.command("FLUSHDB")
        self.model.delete(HISTORY, HOURS, RISKS, OWNER, FULL, THIN, FORECASTS, INCIDENTS, SCORES, RISK_HOURS, WARNINGS, OUTCOMES, WATCH)
        self.watch.points.clear()
        self.watch.flush(self.groups, self.claims)

    def forget_scripts(self):
        """As after a restart: Redis does not know the scripts, and the worker loads them."""
        self.tell("SCRIPT FLUSH")
        self.server.command("SCRIPT", "FLUSH")
        self.server.load_dump()

    def out_of_memory(self):
        """Redis refuses a whole script, so no step of it is done."""
        self.server.command("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", 1)
        try:
            self.work(refused=True)
        finally:
            self.server.command("CONFIG", "SET", "maxmemory", 0, "maxmemory-policy", "volatile-lru")
