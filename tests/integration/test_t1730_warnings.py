# SPDX-License-Identifier: MIT
"""Which warnings came true: every count as an independent implementation has it (warned.py), every outcome once."""
import copy
import csv
import io
import json
import pathlib
import random
import re
import subprocess
from datetime import datetime

import jsonschema
import pytest
import scores
import warned
from stack import BUILD
from timeless import INTERVAL, Timeless
from upstream import Upstream, payload_bytes

PROGRAM = pathlib.Path(BUILD) / "tests/unit/test_warnings"
START = 490_000 * scores.HOUR
NAMES = ("ppdb1", "ppetl1", "ppml1", "ppweb1", "ppweb2", "ppx1")
READINGS, CROSSED = ("cpu", "iowait", "memory", "load"), ("cpu_user", "memory", "iowait", "swap", "disk")


# A made series


def near(chance, at):
    """About a limit, often on it, seldom absent."""
    return chance.choice((at - 3, at - 1, at, at, at + 1, at * 0.5, at * 0.5, float("nan")))


def row(chance):
    """Present and predicted value of each reading and of each metric of a crossing."""
    readings = {metric: [near(chance, at), near(chance, at)] for metric, at in zip(READINGS, (90, 10, 96, 8), strict=True)}
    crossed = {metric: [near(chance, at), near(chance, at)] for metric, at in zip(CROSSED, (90, 94, 25, 30, 90), strict=True)}
    return readings, crossed


def seen_of(name, readings, crossed):
    seen = {}
    for limit, (kind, metric, *_) in enumerate(warned.LIMITS):
        now, then = (readings if kind == "risk" else crossed)[metric]
        if now == now:
            seen[name, limit] = now, warned.reaches(limit, warned.profile_of(name), then)
    return seen


def parse(answer):
    told, hours, now = [], {}, 0
    for line in answer.splitlines():
        word, *rest = line.split()
        if word == "at":
            now = int(rest[0])
        elif word == "hour":
            hour, limit, profile, *counts = rest
            sums = dict(zip(warned.OUTCOMES, map(int, counts[:4]), strict=True))
            sums["leads"] = {int(lead): int(count) for lead, _, count in (one.partition(":") for one in counts[4:])}
            if any(sums[outcome] for outcome in warned.OUTCOMES):
                hours.setdefault(int(hour), {})[int(limit), scores.PROFILES[int(profile)]] = sums
        else:
            outcome, limit, _, at, name = rest
            told.append((now, name, int(limit), warned.OUTCOMES[int(outcome)], int(at)))
    return told, hours


@pytest.mark.parametrize("seed", range(4))
def test_a_made_series_has_the_same_outcomes(seed):
    """Buckets are missing, for minutes and for hours; servers come and go."""
    chance = random.Random(seed)
    model, lines, now = warned.Warned(), [], START
    for _ in range(1200):
        now += 1000 * chance.choice((30, 30, 30, 30, 60, 300, 600, 1800, 1950, 3600, 3750))
        seen = {}
        for name in sorted(chance.sample(NAMES, chance.randrange(4, 7))):
            readings, crossed = row(chance)
            numbers = [number for pairs in (readings, crossed) for pair in pairs.values() for number in pair]
            lines.append(f"{now} {name} {' '.join(map(repr, numbers))}\n")
            seen |= seen_of(name, readings, crossed)
        model.bucket(now, seen)
    answer = subprocess.run([PROGRAM, "series"], input="".join(lines), capture_output=True, text=True, check=True).stdout
    told, hours = parse(answer)
    assert told == model.told
    assert hours == model.hours
    assert {outcome for *_, outcome, _ in told} == set(warned.OUTCOMES)


# Answers, through workers of two hosts and Redis

TEMPLATE = json.loads(payload_bytes("predictions_current-healthy-20"))
WIRE = {"memory": "mem_used_pct", "iowait": "cpu_iowait_pct", "load": "load_average", "cpu_user": "cpu_user_pct", "swap": "swap_used_pct", "disk": "disk_usage_pct"}
ABOUT = {"cpu": 90, "iowait": 20, "memory": 95, "load": 8, "cpu_user": 90, "swap": 30, "disk": 90}


def set_metric(server, wire, now, then):
    server[wire] |= {"current": now, **{name: [then] * 96 for name in ("p10", "p50", "p90")}}


def answer_of(chance, number):
    """An answer of the daemon, and what it says of each limit."""
    servers, seen = {}, {}
    for name in sorted(chance.sample(NAMES, chance.randrange(4, 7))):
        server = servers[name] = copy.deepcopy(next(iter(TEMPLATE["predictions"].values())))
        server["uptime_days"]["current"] = number  # never silent
        pairs = {metric: [round(value, 1) for value in (near(chance, at), near(chance, at))] for metric, at in ABOUT.items()}
        pairs = {metric: [value if value == value else 1.0 for value in pair] for metric, pair in pairs.items()}
        for metric, (now, then) in pairs.items():
            if metric == "cpu":
                now, then = pairs[metric] = [100 - round(100 - value, 1) for value in (now, then)]
                set_metric(server, "cpu_idle_pct", round(100 - now, 1), round(100 - then, 1))
            else:
                set_metric(server, WIRE[metric], now, then)
        seen |= seen_of(name, pairs, pairs)
    return json.dumps(TEMPLATE | {"predictions": servers}).encode(), seen


def kept(stack):
    hours = {}
    for at, fields in stack.redis.xrange("tfthist:warnings"):
        hours[int(at.partition(b"-")[0]) // scores.HOUR * scores.HOUR] = warned.decode(fields[b"w"])
    assert all(at == hour for at, (hour, _) in hours.items())
    return {at: cells for at, (_, cells) in hours.items()}


def told(stack):
    found = []
    for at, fields in stack.redis.xrange("tfthist:outcomes"):
        _, outcome, limit, _, warned_at, name = fields[b"l"].decode().split()
        found.append((int(at.partition(b"-")[0]), name, int(limit), warned.OUTCOMES[int(outcome)], int(warned_at)))
    return found


class Fleet:
    """Two hosts on one Redis, and the model that sees the same answers."""

    def __init__(self, upstream):
        self.upstream, self.model, self.chance, self.number = upstream, warned.Warned(), random.Random(17), 0
        self.answer()

    def answer(self):
        self.number += 1
        self.upstream.predictions.body, self.seen = answer_of(self.chance, self.number)

    def begin(self, stack):
        self.stack = stack
        stack.wait(lambda: self.both_ask() and stack.committed(), 60, "the first bucket")
        self.see()

    def both_ask(self):
        return [self.stack.get("/", host=host) for host in (0, 1)]

    def see(self):
        """On a busy machine Redis may answer a refresh too late: then no step is taken, and the bucket counts as a missing one."""
        at, last = self.stack.committed() * INTERVAL * 1000, self.stack.redis.xrevrange("tfthist:watch", count=1)
        if int(last[0][0].partition(b"-")[0]) == at:
            self.model.bucket(at, self.seen)

    def bucket(self, seconds=INTERVAL):
        self.before = copy.deepcopy(self.model)
        self.answer()
        self.stack.set_time(self.stack.time() + seconds)
        bucket = self.stack.time() // INTERVAL
        self.stack.wait(lambda: self.both_ask() and self.stack.committed() == bucket, 60, f"bucket {bucket}")
        self.see()

    def make_again(self):
        """The same bucket once more, with another answer."""
        snap = self.stack.redis.hget("tft:cur:fleet", "snap")
        self.upstream.predictions.body, _ = answer_of(self.chance, self.number + 0.5)
        self.stack.redis.set("tft:epoch:fleet", f"flushed {self.number}")
        self.stack.wait(lambda: self.both_ask() and self.stack.redis.hget("tft:cur:fleet", "snap") != snap, 60, "made once more")

    def agrees(self):
        assert kept(self.stack) == self.model.hours
        assert told(self.stack) == self.model.told


@pytest.fixture(scope="module")
def fleet():
    with Upstream() as upstream:
        found = Fleet(upstream)
        with Timeless(workers=1, hosts=2, upstream=upstream) as stack:
            found.begin(stack)
            for seconds in (30, 30, 1800, 30, 60, 300, 1950, 30):
                found.bucket(seconds)
            yield found


def test_outcomes_are_counted_once_by_two_hosts_and_over_a_restart_a_flush_and_missing_buckets(fleet):
    fleet.agrees()
    fleet.make_again()
    fleet.bucket()
    fleet.stack.restart_redis()
    fleet.bucket(60)
    fleet.make_again()
    fleet.agrees()
    for seconds in (30, 30, 900, 30, 30):
        fleet.bucket(seconds)
    fleet.agrees()
    assert {outcome for *_, outcome, _ in fleet.model.told} == set(warned.OUTCOMES)


def test_without_its_watch_it_begins_anew(fleet):
    fleet.stack.redis.unlink("tfthist:watch")
    fleet.model.below, fleet.model.open, fleet.model.reached = {}, {}, {}
    for seconds in (30, 30, 30):
        fleet.bucket(seconds)
    fleet.agrees()


def expected(model, profile=None):
    """{(kind, metric, limit of the profile): counts}; those of a commit are not on the page that it makes."""
    found = {(kind, metric, database if profile == "db" else usual): {one: 0 for one in warned.OUTCOMES} | {"leads": {}} for kind, metric, usual, database in warned.LIMITS}
    for cells in model.hours.values():
        for (limit, of), sums in cells.items():
            if profile in (None, of):
                kind, metric, usual, database = warned.LIMITS[limit]
                warned.add(found[kind, metric, database if profile == "db" else usual], sums)
    return found


def same(mine, sums):
    hits, misses, false_alarms = (sums[one] for one in ("hit", "miss", "false-alarm"))
    assert (mine["hits"], mine["misses"], mine["false_alarms"], mine["unknown"]) == (hits, misses, false_alarms, sums["unknown"])
    assert mine["precision"] == pytest.approx(warned.share(hits, false_alarms)) and mine["recall"] == pytest.approx(warned.share(hits, misses))
    assert mine["lead_min"] == warned.median(sums["leads"])


def ms(text):
    return text and round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize("profile", [None, "db", "web"])
def test_page_api_and_csv_have_the_same_counts(fleet, profile):
    params = {"profile": profile} if profile else {}
    answer = fleet.stack.get("/api/v1/accuracy", params=params).json()
    counts = expected(fleet.before, profile)
    assert [(one["kind"], one["metric"], one["limit"]) for one in answer["warnings"]] == list(counts)
    for mine, sums in zip(answer["warnings"], counts.values(), strict=True):
        same(mine, sums)
    read = csv.DictReader(io.StringIO(fleet.stack.get("/accuracy", params={**params, "format": "csv"}).content.decode("utf-8-sig")))
    rows = [row for row in read if row["kind"]]
    assert [(row["kind"], row["metric"], float(row["limit"]), int(row["hits"]), int(row["misses"])) for row in rows] == [
        (one["kind"], one["metric"], one["limit"], one["hits"], one["misses"]) for one in answer["warnings"]
    ]
    page = fleet.stack.get("/accuracy", params=params)
    shown = re.findall(r'data-l="Came true" class="num">(\d+)</td><td data-l="Missed" class="num">(\d+)<', page.text)
    assert [(int(hits), int(misses)) for hits, misses in shown] == [(s["hit"], s["miss"]) for s in counts.values() if any(s[one] for one in warned.OUTCOMES)]
    assert fleet.stack.get("/accuracy", params=params, host=1).content == page.content


def test_the_latest_outcomes_come_first_and_lead_to_their_moments(fleet):
    answer = fleet.stack.get("/api/v1/accuracy").json()
    newest = fleet.before.told[:-101:-1]
    assert [(ms(one["at"]), one["server"], one["metric"], one["outcome"], ms(one["warned_at"]) or 0) for one in answer["outcomes"]] == [
        (at, name, warned.LIMITS[limit][1], outcome, warned_at) for at, name, limit, outcome, warned_at in newest
    ]
    page = fleet.stack.get("/accuracy").text
    links = re.findall(r'href="(server/[^"?]+\?at=[^"]+)"', page[page.index('id="outcomes-table"') :])
    assert len(links) == len(newest) + sum(one["warned_at"] is not None for one in answer["outcomes"]), "the warning and what came of it"
    hit = next(one for one in answer["outcomes"] if one["outcome"] == "hit" and one["metric"] == "cpu")
    then = fleet.stack.get(f"/api/v1/servers/{hit['server']}?at={hit['at'].replace('.000Z', 'Z')}").json()
    assert then["cpu"]["now"] >= 90
    assert fleet.stack.get("/" + links[0].replace("&amp;", "&")).status_code == 200


def test_the_answer_is_as_described(fleet):
    document = fleet.stack.get("/api/v1/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Accuracy", "components": document["components"]}
    jsonschema.validate(fleet.stack.get("/api/v1/accuracy").json(), schema, jsonschema.Draft202012Validator)
