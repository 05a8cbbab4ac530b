# SPDX-License-Identifier: MIT
"""History: written by the refresh, shared by all viewers, kept apart from the cache."""
import csv
import io
import re

import pytest

from stack import ROOT

HOUR = 3600_000
INTERVAL = 30_000
FLEET, HOURS, SERVERS, SERVERS_HOURS = "tfthist:fleet", "tfthist:hours", "tfthist:risk", "tfthist:riskhours"


def ids(entries):
    return [int(key.split(b"-")[0]) for key, _ in entries]


@pytest.fixture
def stack(stack_factory):
    """Without the micro-cache, every answer shows what is in Redis now."""
    running = stack_factory(l1=False)
    running.wait_fleet()
    return running


class Past:
    """Commits buckets with redis/commit.lua as a refresh does, under its own pointer, up to the bucket that is shown."""

    def __init__(self, stack):
        self.redis = stack.redis
        self.script = stack.redis.register_script((ROOT / "redis" / "commit.lua").read_text())
        self.end = int(stack.redis.hget("tft:cur:fleet", "bucket")) * INTERVAL
        stack.redis.delete(FLEET, HOURS, SERVERS, SERVERS_HOURS)
        stack.redis.set("past:epoch", "e")

    def commit(self, at, record, names="a b", risks="0001", points=20160, servers_ms=24 * HOUR):
        keys = ["past:cur", "past:lock", "past:brk", "past:epoch", FLEET, HOURS, SERVERS, "past:upstream", *(f"past:{n}" for n in range(9, 14)), SERVERS_HOURS]
        bucket = at // INTERVAL
        named = {
            "entries": 0, "lock": f"token|{bucket}|e", "bucket": bucket, "epoch": "e", "gen": at, "snap": "snap", "interval": INTERVAL,
            "ttl": 60000, "old_ttl": 60000, "fill": 0, "record": record, "points": points, "names": names, "risks": risks,
            "kept": servers_ms, "bytes": 16 << 20, "upstream": "f", "moment": "", "beside": "", "beside_ms": 0, "forecasts": "",
            "full_kept": 0, "thin_kept": 0, "window": 300000, "seen": 0, "open": "", "closed": "", "ended": 0,
        }  # fmt: skip
        return self.script(keys=keys, args=[word for pair in named.items() for word in pair])

    def fill(self, hours, record):
        """Commits one point for every bucket; record(i) may be None: a gap."""
        count = hours * HOUR // INTERVAL
        for i in range(count):
            at = self.end - (count - 1 - i) * INTERVAL
            text = record(i)
            if text:
                assert self.commit(at, text)[2] == b"hist-new"


def plain(i):
    return f"1 {i % 100 / 100} 0.5 0 0 0 0 0 1 1 500 {i % 1000} ppml0001 healthy"


def points(stack, query):
    answer = stack.get("/api/v1/history?" + query)
    assert answer.status_code == 200
    return answer.json()["points"]


def test_a_refresh_stores_one_point_and_every_viewer_sees_it(stack):
    assert stack.redis.xlen(FLEET) == 1
    fleet = stack.get("/api/v1/fleet").json()
    answer = stack.get("/api/v1/history").json()
    assert answer["points"] == [[fleet["bucket"] * 30, pytest.approx(fleet["environment"]["prob_30m"] * 100)]]
    assert answer["stats"]["points"] == 1
    assert answer["bucket"] == fleet["bucket"]
    health = points(stack, "metric=fleet_health")[0][1]
    assert health == pytest.approx(fleet["fleet"]["healthy"] / fleet["fleet"]["total"] * 100)
    risks = [server["risk"] for server in fleet["servers"]]
    risk = points(stack, "metric=risk")[0]
    assert risk[1] == pytest.approx(sum(risks) / len(risks))
    assert risk[2:] == [max(risks), fleet["servers"][0]["name"]]
    assert points(stack, "metric=levels")[0][2:] == list(fleet["fleet"]["levels"].values())
    assert 'Points <b>1</b>' in stack.get("/history?metric=prob_30m").text


def test_a_bucket_that_is_refreshed_again_has_one_point(stack):
    before = stack.redis.xrange(FLEET)
    pointer = stack.redis.hget("tft:cur:fleet", "snap")
    stack.redis.set("tft:epoch:fleet", "flushed")
    stack.wait(lambda: stack.get("/") and stack.redis.hget("tft:cur:fleet", "snap") != pointer, what="a second snapshot")
    after = stack.redis.xrange(FLEET)
    # The clock may have reached the next bucket meanwhile.
    assert after[0] == before[0]
    assert len(after) == len(set(ids(after)))
    assert "history_failed" not in stack.logs()


def test_flush_and_deletion_of_the_cache_keep_the_history(stack):
    past = Past(stack)
    past.fill(1, plain)
    kept = stack.redis.xrange(FLEET)
    for key in stack.redis.scan_iter("tft:*"):
        stack.redis.unlink(key)
    stack.wait_fleet()
    assert stack.redis.xrange(FLEET)[: len(kept)] == kept
    assert len(points(stack, "range=1h")) >= 119


def test_long_ranges_read_as_hours_are_the_same_points(stack):
    past = Past(stack)
    past.fill(5, lambda i: None if 100 <= i < 130 else plain(i))
    closed = stack.redis.xrange(HOURS)
    newest = ids(stack.redis.xrange(FLEET))[-1]
    first = ids(stack.redis.xrange(FLEET))[0]
    assert ids(closed) == list(range(first // HOUR * HOUR, newest // HOUR * HOUR, HOUR))
    lines = b"\n".join(fields[b"d"] for _, fields in closed).split(b"\n")
    expected = [b"%d " % at + fields[b"d"] for at, (_, fields) in
                zip(ids(stack.redis.xrange(FLEET)), stack.redis.xrange(FLEET)) if at < newest // HOUR * HOUR]
    assert lines == expected
    eight_hours = points(stack, "range=8h")
    assert len(eight_hours) == 5 * 120 - 30
    assert points(stack, "range=1d") == eight_hours
    assert points(stack, "range=7d") == eight_hours
    assert stack.get("/api/v1/history?range=7d").json()["stats"]["gaps"] == 1


def test_history_is_cut_by_number_and_by_age(stack):
    past = Past(stack)
    old = past.end - 32 * 24 * HOUR
    for i in range(300):
        past.commit(old + i * INTERVAL, plain(i))
    past.commit(past.end - INTERVAL, plain(1))
    past.commit(past.end, plain(2), points=100)
    # Redis trims whole nodes of a hundred entries; older points are never shown.
    assert stack.redis.xlen(FLEET) <= 102
    assert stack.redis.xlen(HOURS) <= 1
    assert len(points(stack, "range=7d")) == 2


def test_names_of_servers_are_stored_when_they_change_and_once_an_hour(stack):
    past = Past(stack)
    start = past.end // HOUR * HOUR - 2 * HOUR
    for i in range(240):
        names = "a b" if i < 50 else "a b c"
        past.commit(start + i * INTERVAL, plain(i), names=names, risks="0001" if i < 50 else "000102")
    hour = stack.redis.xrange(SERVERS_HOURS, start, start + HOUR - 1)
    assert [fields[b"n"] for _, fields in hour] == [b"a b", b"a b c"]
    assert [len(fields[b"r"].split(b"\n")) for _, fields in hour] == [50, 70]
    entries = stack.redis.xrange(SERVERS, start + HOUR, start + 2 * HOUR - 1)
    assert [i for i, (_, fields) in enumerate(entries) if b"n" in fields] == [0]


def test_the_server_page_shows_the_risk_of_its_server_over_a_day(stack):
    past = Past(stack)
    server = stack.get("/api/v1/fleet").json()["servers"][0]["name"]
    # The server is new: it appeared half-way, and changed the order of the names.
    for i in range(100):
        names, risks = ("zz", "rs") if i < 50 else (f"{server} zz", "m8rs")
        past.commit(past.end - (99 - i) * INTERVAL, plain(i), names=names, risks=risks)
    page = stack.get("/server/" + server).text
    chart = re.search(r'<section class="panel" id="risk-history">.*?</section>', page, re.S).group(0)
    assert "last value 80.0, maximum 80.0" in chart
    first = int(re.search(r'<path class="value" d="M(\d+) 200', chart).group(1))
    assert first == pytest.approx(1000 - 49 * 30 / 86.4, abs=3)


def test_risks_of_a_large_fleet_are_kept_for_a_shorter_time(stack):
    past = Past(stack)
    for i in range(500):
        past.commit(past.end - (499 - i) * INTERVAL, plain(i), risks="00" * 2000, servers_ms=HOUR)
    assert ids(stack.redis.xrange(SERVERS))[0] > past.end - 2 * HOUR


@pytest.mark.parametrize("key", [FLEET, HOURS, SERVERS, SERVERS_HOURS])
def test_a_stream_of_the_wrong_type_does_not_stop_the_pages(stack, key):
    past = Past(stack)
    past.commit(past.end - HOUR, plain(0))
    stack.redis.delete(key)
    stack.redis.set(key, "something else")
    assert past.commit(past.end, plain(1))[0] == b"ok"
    pointer = stack.redis.hget("tft:cur:fleet", "snap")
    stack.redis.set("tft:epoch:fleet", "flushed")
    stack.wait(lambda: stack.get("/") and stack.redis.hget("tft:cur:fleet", "snap") != pointer, what="a new snapshot")
    for path in ("/", "/history?range=7d"):
        stack.wait(lambda: stack.get(path).status_code == 200, what=path)


def fill_days(stack, days):
    """Points for at most a week, hours for all days."""
    past = Past(stack)
    hours = {}
    pipeline = stack.redis.pipeline(transaction=False)
    count = days * 2880
    for i in range(count):
        at = past.end - (count - 1 - i) * INTERVAL
        if count - i <= 20160:
            pipeline.xadd(FLEET, {"d": plain(i)}, id=f"{at}-0")
        hours.setdefault(at // HOUR * HOUR, []).append(f"{at} {plain(i)}")
    for hour in sorted(hours)[:-1]:
        pipeline.xadd(HOURS, {"d": "\n".join(hours[hour])}, id=f"{hour}-0")
    pipeline.execute()


def test_a_month_is_read_one_point_in_two_minutes(stack):
    fill_days(stack, 30)
    answer = stack.get("/api/v1/history?range=30d")
    times = [at for at, _ in answer.json()["points"]]
    assert 21598 <= len(times) <= 21601
    assert all(b - a in range(30, 211) for a, b in zip(times, times[1:])), "also where hours end and points begin"
    assert len({at // 120 for at in times}) == len(times)
    assert answer.json()["stats"]["gaps"] == 0
    page = stack.get("/history?range=30d")
    assert page.text.count('class="curve"') == 5
    assert len(page.text) < 64 * 1024
    print(f"30 days: {page.headers['Server-Timing']}, {len(page.text)} bytes")
    rows = stack.get("/history?range=30d&format=csv&metric=levels").text.splitlines()
    assert len(rows) == len(times) + 1


def test_hours_are_kept_longer_than_points(stack):
    past = Past(stack)
    for day in range(29, -1, -1):
        for hour in (2, 1):
            past.commit(past.end - day * 24 * HOUR - hour * HOUR, plain(day))
    assert ids(stack.redis.xrange(HOURS))[0] < past.end - 28 * 24 * HOUR
    assert ids(stack.redis.xrange(FLEET))[0] >= past.end - 30 * 24 * HOUR
    assert len(points(stack, "range=30d")) > len(points(stack, "range=7d"))


def test_a_week_of_points_is_drawn_small_and_fast(stack):
    fill_days(stack, 7)
    answer = stack.get("/history?range=7d&metric=risk")
    assert "Points <b>20160</b>" in answer.text
    assert len(answer.text) < 64 * 1024
    assert answer.elapsed.total_seconds() < 1  # the worker may be built with sanitizers


def test_downloads(stack):
    past = Past(stack)
    past.fill(1, plain)
    answer = stack.get("/history?format=csv&range=1h")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="tft_history_\d{8}_\d{6}\.csv"', answer.headers["Content-Disposition"])
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["timestamp", "value"]
    assert len(rows) == 121
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[0]) for row in rows[1:])
    assert [float(row[1]) for row in rows[1:]] == [value for _, value in points(stack, "range=1h")]
    assert stack.get("/history?format=json&range=1h").json() == stack.get("/api/v1/history?range=1h").json()


@pytest.mark.parametrize("query", ["metric=cpu", "range=2h", "range=7D", "metric=prob_30m%00"])
def test_values_that_are_not_in_the_table_are_refused(stack, query):
    answer = stack.get("/history?" + query)
    assert answer.status_code == 400
    assert "7d" in answer.text if "range" in query else "fleet_health" in answer.text
    problem = stack.get("/api/v1/history?" + query)
    assert problem.status_code == 400
    assert problem.headers["Content-Type"] == "application/problem+json"


def test_without_redis_the_page_says_that_nothing_is_lost(stack):
    kept = stack.redis.xrange(FLEET)
    stack.stop_redis()

    def page():
        answer = stack.get("/history?metric=prob_30m")
        return answer.text if answer.status_code == 200 else ""

    stack.wait(lambda: "cannot be reached. Nothing is lost." in page(), timeout=20, what="the page without Redis")
    stack.restart_redis()
    stack.wait(lambda: "Points <b>" in page(), timeout=20, what="the history is back")
    assert stack.redis.xrange(FLEET)[:1] == kept
