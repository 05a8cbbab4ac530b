# SPDX-License-Identifier: MIT
"""What was forecast against what came true: every number as an independent implementation has it (scores.py), every forecast once."""
import json
import math
import pathlib
import random
import subprocess

import pytest
import scores
from stack import BUILD
from upstream import payload_bytes

PROGRAM = pathlib.Path(BUILD) / "tests/unit/test_accuracy"
SCORES, FORECASTS = "tfthist:accuracy", "tfthist:forecasts"
START = 490_000 * scores.HOUR


# A made series


def calibrated(chance, hour):
    """Each value from 0 to 100 is as likely."""
    return 10, 50, 90, chance.uniform(0, 100), chance.uniform(0, 100)


def narrow(chance, hour):
    return 30, 50, 70, chance.uniform(0, 100), chance.uniform(0, 100)


def biased(chance, hour):
    """Too high by 12, the more the later it is, and differently from hour to hour."""
    then = chance.uniform(20, 60)
    return then, then + 12 + hour % 5, then + 30, then, then + chance.gauss(0, 3)


def lagging(chance, hour):
    """What was forecast comes true an hour later."""
    wave = [50 + 30 * math.sin((hour - lag) / 4) + chance.gauss(0, 2) for lag in (0, 1)]
    return wave[1] - 8, wave[1], wave[1] + 8, wave[1], wave[0]


def constant(chance, hour):
    return 42.3, 42.3, 42.3, 42.34, 42.34


def patchy(chance, hour):
    numbers = list(calibrated(chance, hour))
    if chance.random() < 0.1:
        numbers[chance.choice((1, 3, 4))] = math.nan
    return numbers


def few(chance, hour):
    return (chance.uniform(0, 9), *calibrated(chance, hour)[1:]) if hour == 0 else (0, 0, 100, 0, 0)


@pytest.mark.parametrize("days", [1, 7, 30])
@pytest.mark.parametrize("kind", [calibrated, narrow, biased, lagging, constant, patchy, few])
def test_a_made_series_has_the_same_scores(kind, days):
    chance = random.Random(f"{kind.__name__} {days}")
    hours = [hour for hour in range(24 * days) if hour % 7 != 5]  # some are missing
    rows = [
        (START + hour * scores.HOUR + minute * 60_000, horizon, *kind(chance, hour))
        for hour in hours for minute in (0, 20, 40) for horizon in range(5) for _ in range(chance.randrange(1, 4))
    ]  # fmt: skip
    text = "".join(f"{time} {horizon} ppweb1 {' '.join(map(repr, numbers))}\n" for time, horizon, *numbers in rows)
    answer = subprocess.run([PROGRAM, str(days)], input=text, capture_output=True, text=True, check=True).stdout
    printed = {int(line.split()[0]): line.split()[1:] for line in answer.splitlines()}
    first = rows[0][0] // scores.HOUR * scores.HOUR
    slot = {1: 1, 7: 6, 30: 24}[days] * scores.HOUR
    end = ((first + (24 * days - 1) * scores.HOUR) // slot + 1) * slot
    expected = scores.scores([row for row in rows if row[0] >= end - 24 * days * scores.HOUR])
    assert sorted(printed) == sorted(expected)
    for horizon, numbers in expected.items():
        assert printed[horizon][-1] == numbers[-1]
        for mine, other in zip(printed[horizon][:-1], numbers[:-1], strict=True):
            assert math.isclose(float(mine), other, rel_tol=1e-9, abs_tol=1e-9) or math.isnan(float(mine)) and math.isnan(other), (horizon, printed[horizon], numbers)
    if kind is calibrated:
        assert sum(low < 0.8 < high for *_, low, high, _, _ in expected.values()) >= 4, "of five intervals that hold in 19 of 20 cases"
    if kind is constant:
        assert all(numbers[-2] == 0 for numbers in expected.values())


# Recorded answers, through workers and Redis


def rounded(name):
    """A recorded answer with one decimal everywhere: no later rounding can then move a value to another tenth."""
    fleet = json.loads(payload_bytes(name))
    for server in fleet["predictions"].values():
        for metric in server.values():
            if isinstance(metric, dict) and "current" in metric:
                for key in ("p10", "p50", "p90"):
                    metric[key] = [round(value, 1) for value in metric[key]]
                metric["current"] = round(metric["current"], 1)
    return fleet


THEN, NOW = rounded("predictions_current-healthy-20"), rounded("predictions_current-degrading-20")
WIRE = {"memory": "mem_used_pct", "iowait": "cpu_iowait_pct", "load": "load_average"}
PREFIX = {"ppml": "ml", "ppdb": "db", "ppweb": "web", "ppapi": "web", "ppcon": "con", "ppetl": "etl", "pprisk": "risk"}


def clamp(value, metric):
    return max(0, value) if metric == "load" else min(100, max(0, value))


def present(server, metric):
    return 100 - server["cpu_idle_pct"]["current"] if metric == "cpu" else clamp(server[WIRE[metric]]["current"], metric)


def quantiles(server, metric, step):
    name = "cpu_idle_pct" if metric == "cpu" else WIRE[metric]
    low, middle, high = (clamp(server[name][q][step], metric) for q in ("p10", "p50", "p90"))
    low, high = min(low, high), max(low, high)
    return (100 - high, 100 - middle, 100 - low) if metric == "cpu" else (low, middle, high)


def expected_cells(gone=()):
    cells = {}
    for name, then in THEN["predictions"].items():
        profile = next((slug for prefix, slug in PREFIX.items() if name.startswith(prefix)), "gen")
        for metric in ("cpu", "memory", "iowait", "load"):
            for horizon, minutes in enumerate(scores.HORIZONS):
                sums = cells.setdefault(("usual", metric, horizon, profile), dict.fromkeys(scores.NAMES, 0))
                if name in gone:
                    scores.add(sums, {"absent": 1})
                    continue
                now = NOW["predictions"][name]
                numbers = (*quantiles(then, metric, minutes // 5 - 1), present(then, metric), present(now, metric))
                scores.add(sums, scores.compare(*(round(number, 1) for number in numbers)))
    return cells


@pytest.fixture
def stack(stack_factory, upstream):
    upstream.predictions.body = json.dumps(THEN).encode()
    running = stack_factory(upstream=upstream, interval=5, workers=1, hosts=2, l1=False)
    running.wait_fleet()
    return running


def kept(stack):
    """The last record of each hour."""
    found = {}
    for at, fields in stack.redis.xrange(SCORES):
        found[int(at.partition(b"-")[0]) // scores.HOUR] = scores.decode(fields[b"a"])
    return list(found.values())


def total(stack):
    """All hours together, since one may end meanwhile."""
    made, cells = [0] * 5, {}
    for _, records, sums in kept(stack):
        made = [a + b for a, b in zip(made, records, strict=True)]
        for cell, more in sums.items():
            scores.add(cells.setdefault(cell, {}), more)
    return made, cells


def plant(stack, minutes):
    """As if the forecasts of the first commit had been made so long ago that they are due after the next bucket."""
    fields = stack.redis.xrange(FORECASTS, count=1)[0][1]
    last = int(stack.redis.xrevrange("tfthist:full", count=1)[0][0].partition(b"-")[0])
    stack.redis.unlink(FORECASTS)
    for minute in sorted(minutes, reverse=True):
        stack.redis.xadd(FORECASTS, fields, id=f"{last + 5_001 - minute * 60_000}-0")


def wait_commits(stack, count):
    first = stack.committed()
    stack.wait(lambda: stack.get("/") and stack.committed() >= first + count, timeout=60, what=f"{count} buckets")


def test_recorded_answers_are_scored_once_by_all_hosts_and_over_a_restart_of_redis(stack):
    gone = "ppweb001"
    left = {name: server for name, server in NOW["predictions"].items() if name != gone}
    stack.upstream.predictions.body = json.dumps({**NOW, "predictions": left}).encode()
    wait_commits(stack, 1)
    assert stack.redis.xlen(SCORES) == 0, "nothing is due yet"
    plant(stack, scores.HORIZONS)
    stack.wait(lambda: stack.get("/") and stack.redis.xlen(SCORES), timeout=60, what="the forecasts are scored")
    made, cells = total(stack)
    assert made == [1] * 5
    assert cells == expected_cells({gone})

    stack.restart_redis()
    stack.redis.set("tft:epoch:fleet", "flushed")  # the same bucket is made once more
    wait_commits(stack, 3)
    assert total(stack) == (made, cells), "once"
