# SPDX-License-Identifier: MIT
"""What may happen to the archive: a full Redis, damage, a clock that steps, fleets of any size and with any names."""
import json
import subprocess

import pytest
from stack import ROOT
from test_t1600_moments import at, bare, iso
from test_t1670_archive import is_page, same_data, same_page, same_table
from timeless import INTERVAL, WINDOW, Timeless
from upstream import Upstream, payload_bytes

FLEET = "predictions_current-critical-20"
HOUR = 3600
SERVER = {
    metric: {"current": level, "p10": [level / 2] * 8, "p50": [level] * 8, "p90": [min(level + 5, 100)] * 8, "trend": 0.1}
    for metric, level in (("cpu_user_pct", 41.26), ("cpu_sys_pct", 5.5), ("cpu_iowait_pct", 3.15), ("cpu_idle_pct", 50.09), ("mem_used_pct", 72.05), ("load_average", 3.475))
}


@pytest.fixture(scope="module")
def stack():
    """Neither warm-up nor scenario is known: a page shows the newest answer, and buckets of commits.c have none."""
    with Upstream(predictions=FLEET) as upstream, Timeless(workers=1, upstream=upstream, env={"TFT_GENERATOR_URL": ""}) as running:
        upstream.warmup.fail()
        running.wait_fleet(timeout=30)
        yield running


@pytest.fixture(autouse=True)
def own_time(stack):
    """Each test in hours of its own."""
    stack.set_time((stack.time() // HOUR + 3) * HOUR)
    stack.next_bucket()


def get(stack, path, status=200):
    """With patience: on a busy machine Redis may count as away for a moment."""

    def attempt():
        answer = stack.get(path)
        assert answer.status_code in (status, 503), (path, answer.status_code, answer.text)
        return [answer] if answer.status_code == status else None  # a 404 is false

    return stack.wait(attempt, 30, f"{path} with {status}")[0]


def moment(bucket):
    return iso(bucket * INTERVAL * 1000)


def kept(stack, stream="full"):
    return [int(key.split(b"-")[0]) // 1000 // INTERVAL for key, _ in stack.redis.xrange(f"tfthist:{stream}")]


def test_who_fills_redis_takes_no_moment_away(stack):
    """The pages of the past are there while nothing can be written. Buckets of that time are a gap, and then it goes on."""
    bucket = stack.next_bucket()
    shown, before = get(stack, "/").text, kept(stack)
    stack.redis.set("somebody", b"x" * (4 << 20))
    stack.redis.config_set("maxmemory", 4 << 20)
    try:
        stack.set_time(stack.time() + INTERVAL)
        stack.wait(lambda: stack.get("/").status_code and "OOM" in stack.logs(), 30, "a refresh is refused")
        assert kept(stack) == before
        assert bare(get(stack, at("/", moment(bucket))).text) == bare(shown)
        missed = stack.time() // INTERVAL
    finally:
        stack.set_time(stack.time() + INTERVAL)  # before there is room for the bucket that was missed
        stack.redis.config_set("maxmemory", "512mb")
        stack.redis.delete("somebody")
    later = stack.next_bucket(0)
    assert kept(stack) == [*before, later]
    answer = get(stack, at("/api/v1/fleet", moment(missed)), status=404).json()
    assert [answer[side][:19] + "Z" for side in ("before", "after")] == [moment(bucket), moment(later)]


def test_a_damaged_moment_is_told_and_leads_to_its_neighbours(stack):
    first, damaged = stack.next_bucket(), stack.next_bucket()
    (entry, record), = stack.redis.xrevrange("tfthist:full", count=1)
    spoilt = record[b"m"][:-1] + bytes([record[b"m"][-1] ^ 1])
    stack.redis.xadd("tfthist:full", {"m": spoilt, "o": b""}, id=entry.replace(b"-0", b"-1"))
    later = stack.next_bucket()
    answer = get(stack, at("/api/v1/fleet", moment(damaged)), status=404).json()
    assert [answer[side][:19] + "Z" for side in ("before", "after")] == [moment(first), moment(later)]
    assert f"ev=moment_damaged record=moment at={damaged * INTERVAL * 1000}" in stack.logs()
    for bucket in (first, later):
        assert get(stack, at("/", moment(bucket))).headers["X-TFT-Bucket"] == str(bucket)


def test_a_damaged_record_of_an_ended_incident_is_told_and_left_out(stack):
    now = stack.time() * 1000
    newest = max((key for key, _ in stack.redis.xrange("tfthist:incidents")), key=lambda key: int(key.split(b"-")[0]), default=b"0-0")
    assert int(newest.split(b"-")[0]) <= now
    line = f"1 s {now - 120_000} 30000 0 60000 1 800 0 0 "
    for i, name in enumerate(("healed", "no%ffutf8")):
        stack.redis.xadd("tfthist:incidents", {"i": line + name}, id=f"{now}-{5000 + i}")
    told = get(stack, "/api/v1/incidents").json()["incidents"]
    names = [incident["server"] for incident in told]
    assert "healed" in names and not any(name.startswith("no") for name in names if name)
    assert f"ev=moment_damaged record=incidents at={now}" in stack.logs()


def rewind(stack):
    command = ["redis-cli", "-s", stack.redis_socket, "--eval", ROOT / "redis" / "rewind.lua"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_a_step_of_the_clock_leaves_a_gap_and_is_told(stack):
    before = stack.next_bucket()
    ahead = stack.next_bucket(HOUR)
    assert kept(stack)[-2:] == [before, ahead]
    gap = get(stack, at("/api/v1/fleet", moment(before + 60)), status=404).json()
    assert [gap[side][:19] + "Z" for side in ("before", "after")] == [moment(before), moment(ahead)]

    back = stack.next_bucket(INTERVAL - HOUR)
    assert get(stack, "/api/v1/fleet").json()["bucket"] == back, "pages are as ever"
    assert kept(stack)[-2:] == [before, ahead], "ids only rise"
    stack.wait(lambda: f"ev=history_ahead bucket={back} newest={ahead * INTERVAL * 1000}" in stack.logs(), 20, "it is told")

    streams = ("fleet", "hours", "risk", "full", "thin", "forecasts", "incidents", "accuracy", "warnings", "outcomes", "watch", "riskhours")
    done, removed = rewind(stack)
    assert done == "ok" and int(removed) >= 5, "of fleet, risk, full, thin and forecasts, and the hour that was closed too early"
    assert all(bucket <= back for stream in streams for bucket in kept(stack, stream)) and kept(stack)[-1] == before
    later = stack.next_bucket()
    for stream in ("fleet", "risk", "full"):
        assert kept(stack, stream)[-2:] == [before, later]
    assert get(stack, at("/", moment(later))).headers["X-TFT-Bucket"] == str(later)
    assert rewind(stack) == ["ok", "0"]


def fleet(path, names):
    head = json.loads(payload_bytes(FLEET))
    path.write_text(json.dumps({**head, "predictions": {name: SERVER for name in names}, "alerts": []}))
    return path


FLEETS = {
    "one server": (["only"], ["only"]),
    "5,000 servers": ([f"pp{i:05}" for i in range(5000)], [f"pp{i:05}" for i in range(5000)]),
    "all names changed": ([f"old{i}" for i in range(40)], [f"new{i}" for i in range(40)]),
    "a name in another case": (["ppdb001", "ppweb001", "only"], ["PPDB001", "ppweb001", "only"]),
    "both cases at once": (["ppdb001", "PPDB001"], ["PPdb001", "PPDB001"]),
}


@pytest.mark.parametrize("what", FLEETS)
def test_any_fleet_is_shown_again_as_it_was(stack, tmp_path, what):
    before, now = FLEETS[what]
    for i, names in enumerate((before, now)):
        stack.set_time(stack.time() + WINDOW)
        stack.commit(2, fleet(tmp_path / str(i), names))
    bucket = stack.time() // INTERVAL
    then = moment(bucket - 2 - WINDOW // INTERVAL)  # the last of the other names
    paths = ("/", "/?sort=name", "/heatmap", "/top", f"/server/{now[0]}", f"/changes?since={then}", "/incidents", "/history", "/api/v1/fleet")
    shown = {path: get(stack, path) for path in (*paths, "/?format=csv", f"/changes?since={then}&format=csv")}
    stack.commit(2, FLEET)
    for path, live in shown.items():
        past = get(stack, at(path, moment(bucket)))
        assert past.headers["X-TFT-Bucket"] == live.headers["X-TFT-Bucket"] == str(bucket)
        compare = same_page if is_page(live) else same_data if "json" in live.headers["Content-Type"] else same_table
        compare(live, past, path)
    servers = get(stack, at("/api/v1/fleet", moment(bucket))).json()["servers"]
    assert sorted(server["name"] for server in servers) == sorted(now)
    told = get(stack, at(f"/api/v1/changes?since={then}", moment(bucket))).json()["changes"]
    changed = {(change["change"], server["server"]) for change in told for server in change["servers"]}
    gone, new = set(before) - set(now), set(now) - set(before)
    assert changed == {("vanished", name) for name in gone} | {("appeared", name) for name in new}
    for name in sorted(gone)[:1]:
        get(stack, at(f"/server/{name}", moment(bucket)), status=404)
