# SPDX-License-Identifier: MIT
"""Scores of forecasts, written from doc/rules.md#accuracy alone: no part of it is shared with the program."""
import math
import struct
from decimal import ROUND_HALF_EVEN, Decimal

HOUR = 3_600_000
HORIZONS = (30, 60, 120, 240, 480)  # minutes
METRICS = ("cpu", "memory", "iowait", "load", "cpu_user")
PROFILES = ("ml", "db", "web", "con", "etl", "risk", "gen")
NAMES = ("n", "below", "above", "error", "bias", "naive", "p10", "p50", "p90", "silent", "absent")
STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
NORMAL = 1.960


def tenths(value):
    """As printf prints one decimal: the exact value of the double, rounded."""
    return int(Decimal(value).quantize(Decimal("0.1"), ROUND_HALF_EVEN) * 10)


def loss(quantile, value, forecast):
    """In hundredths; quantile in tenths."""
    return (value - forecast) * quantile if value >= forecast else (forecast - value) * (10 - quantile)


def compare(p10, p50, p90, then, value):
    low, median, high, then, value = map(tenths, (p10, p50, p90, then, value))
    return {
        "n": 1, "below": int(value < low), "above": int(value > high), "error": abs(median - value), "bias": median - value,
        "naive": abs(then - value), "p10": loss(1, value, low), "p50": loss(5, value, median), "p90": loss(9, value, high),
    }  # fmt: skip


def add(sums, more):
    for name, value in more.items():
        sums[name] = sums.get(name, 0) + value


def interval(blocks):
    """blocks: (n, inside) of each block of time with values."""
    count, total, inside = len(blocks), sum(n for n, _ in blocks), sum(x for _, x in blocks)
    if count < 2:
        return math.nan, math.nan
    p = inside / total
    variance = count / (count - 1) * sum((x - p * n) ** 2 for n, x in blocks) / total**2
    if p in (0, 1):
        effective = count
    elif variance > 1e-18:
        effective = min(total, p * (1 - p) / variance)
    else:
        effective = total
    t = STUDENT[count - 2] if count - 1 <= len(STUDENT) else NORMAL
    n, z = effective * (NORMAL / t) ** 2, NORMAL
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0, (middle - half) / (1 + z * z / n)), min(1, (middle + half) / (1 + z * z / n))


def skill(error, naive):
    if error == 0:
        return 1 if naive else 0
    return max(-10, 1 - error / naive) if naive else -10


def whole(share):
    """In percent, halves away from zero."""
    return math.floor(abs(100 * share) + 0.5) * (-1 if share < 0 else 1)


def verdict(n, coverage, gain):
    if n < 100:
        return "too-few"
    if whole(gain) < 0:
        return "worse-than-naive"
    return "too-narrow" if whole(coverage) < 70 else "too-wide" if whole(coverage) > 90 else "trustworthy"


def scores(rows):
    """rows: (time, horizon, p10, p50, p90, then, value). {horizon: the numbers that a page shows}"""
    found = {}
    for horizon in sorted({row[1] for row in rows}):
        sums, blocks = {}, {}
        length = max(HOUR, HORIZONS[horizon] * 60_000)
        for time, _, *numbers in (row for row in rows if row[1] == horizon):
            if any(math.isnan(number) for number in numbers):
                add(sums, {"absent": 1})
                continue
            one = compare(*numbers)
            add(sums, one)
            n, inside = blocks.get(time // length, (0, 0))
            blocks[time // length] = (n + 1, inside + 1 - one["below"] - one["above"])
        n = sums["n"]
        coverage = (n - sums["below"] - sums["above"]) / n
        low, high = interval(list(blocks.values()))
        gain = skill(sums["error"], sums["naive"])
        found[horizon] = [
            n, sums["below"], sums["above"], sums.get("absent", 0), sums["error"] / 10 / n, sums["bias"] / 10 / n, sums["naive"] / 10 / n,
            *(sums[q] / 100 / n for q in ("p10", "p50", "p90")), coverage, low, high, gain, verdict(n, coverage, gain),
        ]  # fmt: skip
    return found


def decode(record):
    """(start of the hour, records for each horizon, {(scenario, metric, horizon, profile): sums}); doc/cache.md#accuracy."""
    assert record[:5] == b"TFTa\x01"
    at, rest = struct.unpack("<q", record[13:21])[0], record[21:]

    def number():
        nonlocal rest
        value = shift = 0
        while True:
            byte, rest = rest[0], rest[1:]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value >> 1 if value % 2 == 0 else -(value >> 1) - 1

    made, cells = [number() for _ in HORIZONS], {}
    while rest:
        (index,), rest = struct.unpack("<H", rest[:2]), rest[2:]
        index, profile = divmod(index, len(PROFILES))
        index, horizon = divmod(index, len(HORIZONS))
        scenario, metric = divmod(index, len(METRICS))
        cells[("usual", "changed")[scenario], METRICS[metric], horizon, PROFILES[profile]] = {name: number() for name in NAMES}
    return at, made, cells
