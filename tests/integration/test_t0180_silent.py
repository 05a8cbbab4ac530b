# SPDX-License-Identifier: MIT
"""Servers whose values no longer change: the daemon repeats what they sent last, and the dashboard says so.

Ages and buckets follow Redis' clock, so the test puts it forward to make a minute pass.
"""
import json
import re

from stack import Stack, to_bucket
from upstream import payload_bytes

STEP = 30
HEALTHY = json.loads(payload_bytes("predictions_current-healthy-20"))
NAMES = sorted(HEALTHY["predictions"])
FROZEN = NAMES[3]


class Ahead(Stack):
    """A fleet that answers what each step says."""

    def __init__(self, **options):
        # A bucket has just begun, so that none ends by itself during a test.
        super().__init__(interval=STEP, l1=False, ahead=to_bucket(STEP), **options)
        self.round = 0

    def answer(self, frozen):
        """From now on every server except these sends new values."""
        self.round += 1
        body = json.loads(payload_bytes("predictions_current-healthy-20"))
        for name, server in body["predictions"].items():
            if name not in frozen:
                server["load_average"]["current"] += self.round / 1000
        self.upstream.predictions.body = json.dumps(body).encode()

    def first(self, frozen):
        self.answer(frozen)
        self.redis.flushdb()
        return self.wait_fleet()

    def step(self, frozen, host=0):
        """Moves the fleet forward by one interval."""
        before = self.committed()
        self.answer(frozen)
        self.leap(STEP)
        return self.wait(lambda: self.newer(before, host), 20, "a snapshot of a later bucket")

    def fleet(self, host=0):
        answer = self.get("/api/v1/fleet", host=host)
        return answer.json() if answer.status_code == 200 else {"bucket": -1}

    def newer(self, bucket, host):
        fleet = self.fleet(host)
        return fleet if fleet["bucket"] > bucket else None

    def restart_workers(self):
        for host in self.hosts:
            assert all(service.stop() for service in host.workers)
            self.start_workers(host)


def silent(fleet):
    return {server["name"]: server["silent_since"] for server in fleet["servers"] if server["silent_since"]}


def clock_text(iso):
    """A time as pages show it: 2026-11-23T12:31:05.123Z is 12:31:05 UTC."""
    return iso[11:19] + " UTC"


def tile(page, name):
    return re.search(f'<li id="srv-{name}" class="([^"]*)"', page)[1].split()


def test_server_that_stands_still_is_marked_until_it_moves():
    with Ahead() as stack:
        first = stack.first([FROZEN])
        assert silent(stack.step([FROZEN])) == {}, "twice the same is no silence"
        fleet = stack.step([FROZEN])
        assert silent(fleet) == {FROZEN: first["generated_at"]}
        order = [(-server["risk"], server["name"]) for server in fleet["servers"]]
        assert order == sorted(order), "silence changes no rank"
        assert stack.get(f"/api/v1/servers/{FROZEN}").json()["silent_since"] == first["generated_at"]

        words = f"silent since {clock_text(first['generated_at'])}"
        overview, heatmap = stack.get("/").text, stack.get("/heatmap").text
        assert overview.count('1 server <a href="docs#word-silent">silent</a>') == 1, "in the state"
        assert "No new data" not in overview
        assert [name for name in NAMES if "silent" in tile(heatmap, name)] == [FROZEN]
        for path in ("/heatmap", f"/server/{FROZEN}"):
            assert words in stack.get(path).text, path
        assert words not in stack.get(f"/server/{NAMES[0]}").text

        assert silent(stack.step([])) == {}
        assert "silent" not in stack.get("/").text


def test_silence_outlives_workers_and_redis_and_is_the_same_on_every_host():
    with Ahead(workers=1, hosts=2) as stack:
        first = stack.first([FROZEN])
        stack.step([FROZEN], host=1)
        stack.restart_redis()
        stack.restart_workers()
        fleet = stack.step([FROZEN], host=0)
        assert silent(fleet) == {FROZEN: first["generated_at"]}
        stack.restart_workers()
        fleet = stack.step([FROZEN], host=1)
        assert silent(fleet) == {FROZEN: first["generated_at"]}
        stack.wait(lambda: stack.fleet(0) == fleet, what="the other host answers the same")


def test_feed_that_has_stopped_is_told_in_a_sentence():
    with Ahead() as stack:
        stack.first(NAMES[1:])
        second = stack.step(NAMES)  # the last server changed once more
        stack.step(NAMES)
        assert "No new data" not in stack.get("/").text
        fleet = stack.step(NAMES)
        assert sorted(silent(fleet)) == NAMES
        assert silent(fleet)[NAMES[0]] == second["generated_at"]
        for path in ("/", "/heatmap", "/top", "/cost", f"/server/{FROZEN}"):
            text = re.sub("<[^>]+>", "", stack.get(path).text)
            assert f"No new data has reached the daemon since {clock_text(second['generated_at'])}." in text, path
        stack.step(NAMES[1:])
        assert "No new data" not in stack.get("/").text
