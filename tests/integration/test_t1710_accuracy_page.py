# SPDX-License-Identifier: MIT
"""The page of forecasts, its API and CSV: made scores in Redis, every number as an independent implementation has it (scores.py)."""
import csv
import ctypes
import io
import math
import re
import struct

import jsonschema
import pytest
import scores
from patient import PatientStack

SCORES = "tfthist:accuracy"
PROFILES = {"db": "Database", "web": "Web API"}
XXH64 = ctypes.CDLL("libxxhash.so.0").XXH64
XXH64.restype, XXH64.argtypes = ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)

# What each hour holds, by (scenario, metric, horizon, profile); k is the number of the hour.
MADE = {
    ("usual", "cpu", 0, "web"): lambda k: sums(60, 14 + k % 3, 9, 2640, 600, 3000, silent=2, absent=1),
    ("usual", "cpu", 0, "db"): lambda k: sums(20, 3, k % 4, 880, 200, 1000),
    ("usual", "cpu", 2, "web"): lambda k: sums(60, 18, 21, 2700, -900, 3000),
    ("usual", "memory", 1, "db"): lambda k: sums(60, 0, 1, 60, 0, 120),
    ("usual", "iowait", 0, "db"): lambda k: sums(60, 6, 6 + k % 2, 900, 7, 600),
    ("usual", "load", 4, "web"): lambda k: sums(60, 6, 6, 60, 30, 60),
    ("usual", "cpu_user", 0, "web"): lambda k: sums(10, 1, 1, 60, 30, 0),
    ("changed", "cpu", 0, "web"): lambda k: sums(40, 20, 10, 6000, 3000, 3000),
}


def sums(n, below, above, error, bias, naive, silent=0, absent=0):
    numbers = (n, below, above, error, bias, naive, 4 * error + 10, 5 * error, 3 * error + 7, silent, absent)
    return dict(zip(scores.NAMES, numbers, strict=True))


def number(value):
    rest, out = value << 1 if value >= 0 else (-value << 1) - 1, b""
    while rest > 127:
        out, rest = out + bytes([rest & 127 | 128]), rest >> 7
    return out + bytes([rest])


def encode(hour, count, cells):
    """The opposite of scores.decode."""
    body = struct.pack("<q", hour * scores.HOUR) + number(count) * 5
    for (scenario, metric, horizon, profile), one in sorted(cells.items(), key=lambda item: place(item[0])):
        body += struct.pack("<H", place((scenario, metric, horizon, profile))) + b"".join(number(one[name]) for name in scores.NAMES)
    return b"TFTa\x01" + struct.pack("<Q", XXH64(body, len(body), 0)) + body


def place(cell):
    scenario, metric, horizon, profile = cell
    at = ("usual", "changed").index(scenario) * len(scores.METRICS) + scores.METRICS.index(metric)
    return (at * len(scores.HORIZONS) + horizon) * len(scores.PROFILES) + scores.PROFILES.index(profile)


def records(bucket_ms):
    """{time: (hour, cells)} of what is kept: a record 3 days old, some hours of the last day, and the hour of the bucket as it was read last."""
    last = (bucket_ms - 1) // scores.HOUR
    hours = {last - 80: 5, last - 9: 12, last - 3: 12, last - 2: 12, last - 1: 11}
    kept = {(hour + 1) * scores.HOUR - 600_000: (hour, count) for hour, count in hours.items()}
    kept[bucket_ms - 1] = (last, 1)
    return {at: (hour, count, {cell: make(hour) for cell, make in MADE.items()}) for at, (hour, count) in kept.items()}


def expected(kept, days, until_ms, profiles):
    """What was scored before, in a range of days that ends with the slot of that time."""
    slot = {1: 1, 7: 6, 30: 24}[days] * scores.HOUR
    begin = (until_ms // slot + 1) * slot - 24 * days * scores.HOUR
    blocks, cells, made = {}, {}, [0] * 5
    for at, (hour, count, found) in kept.items():
        if not begin <= hour * scores.HOUR or at >= until_ms:
            continue
        made = [count + each for each in made]
        for (scenario, metric, horizon, profile), one in found.items():
            if profile not in profiles:
                continue
            cell = metric, horizon, scenario
            scores.add(cells.setdefault(cell, {}), one)
            block = hour * scores.HOUR // max(scores.HOUR, scores.HORIZONS[horizon] * 60_000)
            n, inside = blocks.setdefault(cell, {}).get(block, (0, 0))
            blocks[cell][block] = n + one["n"], inside + one["n"] - one["below"] - one["above"]
    return made, {cell: (one, scores.interval(list(blocks[cell].values()))) for cell, one in cells.items()}


@pytest.fixture(scope="module")
def stack():
    with PatientStack(workers=1, hosts=2, interval=300, l1=False) as running:
        running.upstream.predictions.load("predictions_current-healthy-20")
        running.wait_fleet()
        yield running


def bucket_ms(stack):
    return int(stack.get("/api/v1/fleet").headers["x-tft-bucket"]) * 300_000


@pytest.fixture(scope="module")
def kept(stack):
    made = records(bucket_ms(stack))
    for at, record in made.items():
        stack.redis.xadd(SCORES, {"a": encode(*record)}, id=f"{at}-0")
    return made


def same(a, b):
    return b is None and math.isnan(a) if a is None or b is None else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def check(answer, made, cells):
    assert [one["compared"] for one in answer["records"]] == made
    found = {(one["metric"], [r["horizon"] for r in answer["records"]].index(one["horizon"]), one["scenario"]): one for one in answer["scores"]}
    assert {cell for cell, one in found.items() if one["n"]} == set(cells)
    for cell, (one, interval) in cells.items():
        mine, n = found[cell], one["n"]
        coverage, gain = (n - one["below"] - one["above"]) / n, scores.skill(one["error"], one["naive"])
        assert {name: mine[name] for name in ("n", "below", "above", "silent", "absent")} == {name: one[name] for name in ("n", "below", "above", "silent", "absent")}
        for name, value in {
            "coverage": coverage, "skill": gain, "error": one["error"] / 10 / n, "bias": one["bias"] / 10 / n, "naive_error": one["naive"] / 10 / n,
        }.items():  # fmt: skip
            assert same(mine[name], value), (cell, name)
        for name in ("p10", "p50", "p90"):
            assert same(mine["pinball"][name], one[name] / 100 / n), (cell, name)
        for name, value in zip(("coverage_low", "coverage_high"), interval, strict=True):
            assert math.isnan(value) if mine[name] is None else same(mine[name], value), (cell, name)
        assert mine["verdict"] == scores.verdict(n, coverage, gain), cell
        assert sum(slot[1] for slot in mine["slots"]) == n
        assert same(sum(slot[1] * slot[2] for slot in mine["slots"]), n - one["below"] - one["above"])


def test_every_number_is_that_of_an_independent_implementation(stack, kept):
    for days in (1, 7, 30):
        for profile in (None, *PROFILES):
            params = {"range": f"{days}d", **({"profile": profile} if profile else {})}
            answer = stack.get("/api/v1/accuracy", params=params)
            until = int(answer.headers["x-tft-bucket"]) * 300_000
            check(answer.json(), *expected(kept, days, until, [profile] if profile else scores.PROFILES))
            assert answer.json()["profile"] == PROFILES.get(profile)
            assert stack.get("/api/v1/accuracy", params=params, host=1).content == answer.content


def test_the_answer_is_as_described(stack, kept):
    document = stack.get("/api/v1/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Accuracy", "components": document["components"]}
    jsonschema.validate(stack.get("/api/v1/accuracy").json(), schema, jsonschema.Draft202012Validator)


def rows(page, section):
    part = re.search(f'<section class="panel" id="{section}">.*?</section>', page, re.S)
    found = re.findall(r'<tr><th scope="row">([^<]*) <small>.*?</tr>', part[0], re.S) if part else []
    verdicts = re.findall(r'data-l="Horizon">([^<]*)</td><td data-l="Verdict"><span><b aria-hidden="true">[^<]+</b> ([^<]+)</span>', part[0]) if part else []
    return [(name, *rest) for name, rest in zip(found, verdicts, strict=True)]


def test_the_page_shows_the_cells_worst_first(stack, kept):
    page = stack.get("/accuracy")
    assert page.status_code == 200 and "<title>" in page.text
    assert rows(page.text, "scores")[:5] == [
        ("I/O wait", "30 min", "worse than naive"),
        ("CPU used", "2 h", "too narrow"),
        ("CPU used", "30 min", "too narrow"),
        ("Memory", "1 h", "too wide"),
        ("Load", "8 h", "trustworthy"),
    ]
    assert rows(page.text, "scenario-changed") == [("CPU used", "30 min", "worse than naive")]
    one = next(one for one in stack.get("/api/v1/accuracy?metric=cpu&horizon=30m").json()["scores"] if one["scenario"] == "usual")
    held, beat = scores.whole(one["coverage"]), scores.whole(one["skill"])
    sentence = f"Of the last day’s 30-minute CPU forecasts {held}% fell inside the band that should hold 80%; they beat “no change” by {beat}%."
    assert f"<b>{sentence}</b>" in page.text
    assert 'href="docs#accuracy"' in page.text and 'id="accuracy"' in stack.get("/docs").text
    assert stack.get("/accuracy", host=1).content == page.content
    assert stack.get("/accuracy", headers={"If-None-Match": page.headers["etag"]}).status_code == 304


def test_filters_and_files_agree(stack, kept):
    for params in ({}, {"metric": "cpu", "horizon": "30m"}, {"profile": "db", "range": "7d"}):
        answer = stack.get("/api/v1/accuracy", params=params).json()["scores"]
        table = stack.get("/accuracy", params={**params, "format": "csv"})
        assert re.search(r"tft_accuracy_\d{8}_\d{6}\.csv", table.headers["content-disposition"])
        read = [row for row in csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"))) if not row["kind"]]
        assert [(row["metric"], row["horizon"], row["scenario"], row["verdict"], int(row["n"])) for row in read] == [
            (one["metric"], one["horizon"], one["scenario"], one["verdict"], one["n"]) for one in answer
        ]
        for row, one in zip(read, answer):
            low = one["coverage_low"]
            assert row["coverage_low"] == "" if low is None else float(row["coverage_low"]) == pytest.approx(low, abs=5e-5), "four decimals"
        assert stack.get("/accuracy", params={**params, "format": "json"}).json()["scores"] == answer
    assert len(rows(stack.get("/accuracy?metric=memory&horizon=1h").text, "scores")) == 1


@pytest.mark.parametrize("query", ["metric=disk", "metric=risk", "horizon=3h", "range=8h", "profile=Database", "from=2026-01-01"])
def test_a_bad_value_is_refused(stack, query):
    for path in ("/accuracy", "/api/v1/accuracy"):
        assert stack.get(f"{path}?{query}").status_code == 400, path


def test_a_page_of_the_past_knows_what_was_scored_before_its_hour(stack, kept):
    until = bucket_ms(stack)
    moved = stack.get(f"/api/v1/accuracy?at={until}")
    assert moved.status_code == 302
    answer = stack.get("/api/v1/accuracy" + moved.headers["location"])
    assert answer.json()["condition"] == "past"
    check(answer.json(), *expected(kept, 1, until // scores.HOUR * scores.HOUR, scores.PROFILES))
    page = stack.get("/accuracy" + moved.headers["location"])
    assert page.status_code == 200 and "accuracy?metric=cpu&amp;at=" in page.text
    assert stack.get("/accuracy" + moved.headers["location"], host=1).content == page.content


def sentence(page):
    return re.findall(r'<a id="forecasts" href="accuracy">([^<]* held [^<]*)</a>', page)


def reads(stack):
    stats = stack.redis.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("xrange", "xrevrange"))


def test_the_stored_overview_has_the_sentence_and_no_view_of_it_reads_scores(stack, kept):
    stack.redis.set("tft:epoch:fleet", "flushed")  # the same bucket is made once more
    stack.wait(lambda: sentence(stack.get("/").text), timeout=40, what="it is there")
    page = stack.get("/")
    assert 'key="overview"' in page.headers["cache-status"]
    assert stack.get("/", host=1).content == page.content
    one = next(one for one in stack.get("/api/v1/accuracy?metric=cpu&horizon=30m").json()["scores"] if one["scenario"] == "usual")
    assert f" {scores.whole(one['coverage'])}% of the time" in sentence(page.text)[0]
    # Rendered on request, it says the same.
    assert sentence(stack.get("/?sort=name").text) == sentence(page.text) == sentence(stack.get("/?profile=db").text)

    def views():
        before = reads(stack)
        for host in (0, 1, 0, 1):
            assert stack.get("/", host=host).status_code == 200
        return reads(stack) == before

    stack.wait(views, timeout=40, what="views without a refresh between them")


def test_without_the_shared_cache_it_says_so(stack, kept):
    stack.stop_redis()
    try:
        page = stack.wait(lambda: "Scores are kept in the shared cache, which cannot be reached. Nothing is lost." in stack.get("/accuracy").text, timeout=40, what="it says so")
        assert page
        answer = stack.get("/api/v1/accuracy").json()
        assert answer["scores"] is None and answer["records"] is None and answer["range"] == "1d"
        assert not sentence(stack.get("/").text)
    finally:
        stack.restart_redis()
