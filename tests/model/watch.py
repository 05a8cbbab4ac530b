# SPDX-License-Identifier: MIT
"""The invariants of the cache, decided from the scripts' answers and from what Redis holds, without the model.

I1   claims won in a bucket <= 1 + deaths, stops, flushes and losses in it; never two holders of a lease that runs
I2   never more claims in the window than the budget, unless the list was lost or the clock went back
I6   all entries of the bucket that the pointer shows have the pointer's snapshot id
I7   the pointer goes back only after a loss of keys or when it was made before the clock went back
I8   the history's ids rise, one for each committed bucket
I9   nothing claimed before a flush or a deletion is fresh after it
I11  each key outside the closed list expires, and there are only so many
"""
from collections import Counter

from model import GARBAGE, JUNK, STAGED_TTL, WINDOW

META = ("cur", "lock", "brk", "epoch")
ENDLESS = ("tft:cur:", "tft:epoch:", "tfthist:")
BUCKETS_KEPT = 5  # per route: current, previous, and what slow refreshes commit within two intervals of the previous one


class Violation(Exception):
    """The first word is the number of the invariant."""


class State:
    """What is known of one group."""

    def __init__(self):
        self.holders = {}  # token: end of the lease
        self.wins = Counter()  # (era, bucket)
        self.troubles = Counter()  # allows one more win in that bucket
        self.spent = []
        self.pointer = -1
        self.floor = 0  # claims before this one must not be fresh


class Watch:
    def __init__(self, groups):
        self.groups = {group.name: group for group in groups}
        self.state = {group.name: State() for group in groups}
        self.now = 0
        self.era = 0  # changes with each step of the clock
        self.doubt = 0  # until then keys may date from before a step back: pointers to future buckets, budgets to be deleted
        self.points = []  # in the history since it was created
        self.orderly = True  # nothing has happened that keeps old buckets alive for max_stale

    # What happened

    def step_clock(self, back):
        for group in self.groups.values():
            self.end_leases(group)
        self.era += 1
        if back:
            self.orderly = False
            self.doubt = max(self.doubt, self.now)
            for state in self.state.values():
                state.spent.clear()

    def trouble(self, group, at=None):
        bucket = (self.now if at is None else at) // group.interval
        self.state[group.name].troubles[self.era, bucket] += 1

    def lose(self, key):
        """A key was deleted, or overwritten by another program."""
        kind, _, name = key.removeprefix("tft:").partition(":")
        if name not in self.groups:
            return
        state = self.state[name]
        if kind in META:
            self.trouble(self.groups[name])
        if kind == "lock":
            state.holders.clear()
        elif kind == "budget":
            state.spent.clear()
        elif kind == "cur":
            state.pointer = -1
            self.orderly = False

    def flush(self, groups, index):
        """Flushed, or all keys deleted, by an action that began before claim number `index`."""
        for group in groups:
            self.trouble(group)
            self.state[group.name].floor = index

    def end_leases(self, group):
        """A worker that has not finished by then is dead, or was too slow."""
        holders = self.state[group.name].holders
        for token in [token for token, end in holders.items() if end < self.now]:
            self.trouble(group, holders.pop(token) + 1)

    def won(self, claim):
        group, state = claim.group, self.state[claim.group.name]
        self.end_leases(group)
        for token, end in state.holders.items():
            if end - self.now > group.lease:
                continue  # the clock was set back
            raise Violation(f"I1 {claim.token} won while the lease of {token} had {end - self.now} ms to run")
        state.holders = {claim.token: self.now + group.lease}

        here = self.era, claim.bucket
        state.wins[here] += 1
        if state.wins[here] > 1 + state.troubles[here]:
            raise Violation(f"I1 {state.wins[here]} claims won in a bucket with {state.troubles[here]} troubles")

        if self.now <= self.doubt:
            return
        if len(state.spent) == group.calls and self.now - state.spent[0] < WINDOW:
            raise Violation(f"I2 more than {group.calls} claims in {self.now - state.spent[0]} ms")
        state.spent = [*state.spent, self.now][-group.calls :]

    def extended(self, claim):
        state = self.state[claim.group.name]
        if state.holders.get(claim.token, -1) < self.now:
            raise Violation(f"I1 {claim.token} extended a lease that it does not have")
        state.holders[claim.token] = self.now + claim.group.lease

    def ended(self, claim, answer):
        """Commit or fail has answered."""
        if answer[0] == "error":
            return
        self.end_leases(claim.group)
        self.state[claim.group.name].holders.pop(claim.token, None)
        if answer[0] in ("missing", "foreign") or (answer[0] == "ok" and claim.bucket > self.now // claim.group.interval):
            self.trouble(claim.group)
        if answer[0] == "ok" and claim.group.history:
            self.point(claim.bucket * claim.group.interval, answer[2])

    def point(self, point, answer):
        new = not self.points or point > self.points[-1]
        if (answer == "hist-new") != new:
            raise Violation(f"I8 {answer} for {point} after {self.points[-1:]}")
        if new:
            self.points.append(point)

    # What Redis holds

    def look(self, lines):
        cells = dict(self.cell(line) for line in lines)
        for name, state in self.state.items():
            kind, value = cells.get(f"tft:cur:{name}", (None, None))
            if kind == "hash":
                pointer = dict(pair.split("=", 1) for pair in value.split(" "))
                self.check_pointer(self.groups[name], state, pointer, cells)
        self.check_number(cells)

    def cell(self, line):
        key, kind, until, value = line.split("|", 3)
        if until == "-1":
            if kind != JUNK and value not in GARBAGE and not key.startswith(ENDLESS):
                raise Violation(f"I11 {key} never expires")
        elif key.startswith("tft:s:") and int(until) - self.now > STAGED_TTL and self.orderly:
            raise Violation(f"I11 {key} is staged for too long")
        return key, (kind, value)

    def check_pointer(self, group, state, pointer, cells):
        if "bucket" not in pointer or any(value in GARBAGE for value in pointer.values()):
            return
        bucket, today = int(pointer["bucket"]), self.now // group.interval
        past_doubt = state.pointer * group.interval > self.doubt
        if bucket < state.pointer <= today and past_doubt:
            raise Violation(f"I7 the pointer went from {state.pointer} to {bucket}")
        state.pointer = bucket
        for route in group.routes:
            kind, value = cells.get(f"tft:{route}:{bucket}", (None, None))
            if kind == "hash" and f"snap={pointer['snap']}" not in value.split(" "):
                raise Violation(f"I6 {route} of bucket {bucket}: {value}, the pointer says {pointer['snap']}")
        fresh = bucket == today and cells.get(f"tft:epoch:{group.name}", (None, None))[1] == pointer["epoch"]
        if fresh and int(pointer["snap"]) < state.floor:
            raise Violation(f"I9 claim {pointer['snap']} is fresh after the flush before claim {state.floor}")

    def check_number(self, cells):
        routes = sum(len(group.routes) for group in self.groups.values())
        bound = BUCKETS_KEPT * routes + 8 * len(self.groups) + 4
        found = sum(not key.startswith("tft:s:") for key in cells)
        if self.orderly and found > bound:
            raise Violation(f"I11 {found} keys, at most {bound} are allowed")

    def check_history(self, ids):
        """Everything in the stream at the end: the newest points, without a gap."""
        expected = [f"{point}-0" for point in self.points[-len(ids) :]] if ids else []
        if ids != expected or (self.points and not ids):
            raise Violation(f"I8 the history has {ids[-3:]}, committed were {self.points[-3:]}")
