# SPDX-License-Identifier: MIT
"""After a power loss everything starts by itself, in any order. Also a Redis without a disk, one that is loading, and one
whose clock jumped."""
import itertools
import os
import resource
import signal
import socket

import pytest
from load import Load, ask
from proxy import ProxiedStack
from stack import Service, Stack, clock_library
from upstream import Upstream

INTERVAL = 5
PATHS = ("/", "/heatmap?profile=db")


def is_fresh(seen):
    return seen.status == 200 and seen.cache.startswith("tft-redis; hit; ttl=") and "detail" not in seen.cache


def wait_fresh(stack, timeout, what):
    stack.wait(lambda: all(is_fresh(ask(stack)) for _ in range(4)), timeout, what)


# Cold starts

class Machine(Stack):
    """Starts with nothing running; boot() starts the four parts one after the other, each when the previous one is up."""

    def __init__(self, **options):
        super().__init__(redis=False, upstream=Upstream(), **options)
        self.upstream.unlisten()

    def start_workers(self, host):
        """Not yet."""

    start_nginx = start_workers

    def healthy(self, host):
        """nginx is up; what it answers does not matter."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", host.port)) == 0

    def boot(self, order):
        (host,) = self.hosts
        for part in order:
            if part == "redis":
                self.restart_redis()
            elif part == "upstream":
                self.upstream.listen()
            elif part == "workers":
                started = self.logs().count("ev=start")
                super().start_workers(host)
                self.wait(lambda: self.logs().count("ev=start") == started + self.worker_count, what="workers")
            else:
                super().start_nginx(host)

    def lose_power(self):
        """Not during a refresh: Redis keeps its lease, which outlives the workers, and nobody else begins one before it ends."""
        self.wait(lambda: self.committed() == self.bucket_now() and self.seconds_to_bucket() > 1, what="no refresh")
        (host,) = self.hosts
        self.upstream.unlisten()
        services = [host.nginx, *host.workers, self.redis_service]
        for service in services:
            os.killpg(service.pid, signal.SIGKILL)
        for service in services:
            service.process.wait()
            self.wait(lambda: not service.alive(), what="the end of all")

    def stop(self, check=True):
        super().stop(check)
        self.upstream.close()


ORDERS = list(itertools.permutations(("nginx", "workers", "redis", "upstream")))


@pytest.mark.parametrize("orders", [ORDERS[i::4] for i in range(4)], ids=["1st", "2nd", "3rd", "4th"])
def test_every_order_of_a_cold_start_ends_well(orders):
    with Machine(workers=2, interval=INTERVAL, l1=True) as machine:
        for number, order in enumerate(orders):
            machine.lose_power() if number else None
            machine.boot(order)
            wait_fresh(machine, 10, f"fresh pages after {order}")


# Redis

@pytest.fixture
def stack():
    with ProxiedStack(workers=2, interval=INTERVAL, l1=False) as running:
        running.wait_fleet()
        yield running


def run_redis(stack, words, env=None):
    """Starts it again, with some words before its command."""
    stack.stop_redis()
    directory = stack.hosts[0].dir
    argv = [*words, *stack.redis_command()]
    stack.redis_service = Service("redis", argv, directory / "log" / "redis.log", env)
    stack.wait(stack.redis_answers, what="Redis answers")


def test_redis_without_disk_goes_on_being_read(stack):
    """Its file may not grow: it refuses to write, as with a full disk."""
    run_redis(stack, ["env", "--ignore-signal=XFSZ"])
    wait_fresh(stack, 10, "fresh pages")
    pid = stack.redis_service.pid
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, limits[1]))
    stack.wait(lambda: "MISCONF" in refusal(stack), what="Redis has noticed")
    with Load(stack, PATHS, clients=2) as load:
        stack.wait(lambda: "ttl=-" in ask(stack).cache, INTERVAL + 5, "a stale page")
    assert load.failed() == []
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    wait_fresh(stack, INTERVAL + 10, "fresh pages again")


def refusal(stack):
    """Redis' answer to a write."""
    try:
        stack.redis.set("tft:probe", "1", px=1)
    except Exception as error:
        return str(error)
    return ""


def test_redis_that_loads_counts_as_an_outage(stack):
    stack.proxy.replace = b"-LOADING Redis is loading the dataset in memory\r\n"
    stack.wait(lambda: (seen := ask(stack)).cache.startswith("tft-local; hit") and b"Shared cache off" in seen.body, 12, "own snapshots")
    stack.proxy.heal()
    wait_fresh(stack, INTERVAL + 5, "fresh pages again")


def test_a_jump_of_redis_clock_costs_a_refresh(stack):
    for hours in (1, 0, -1):
        calls, before = stack.upstream.predictions.count, stack.bucket_now()
        run_redis(stack, [], {**os.environ, "LD_PRELOAD": clock_library(), "TFT_CLOCK_OFFSET": str(hours * 3600)})
        assert abs(stack.bucket_now() - before) > 3000 // INTERVAL, "the clock has jumped"
        with Load(stack, PATHS, clients=2) as load:
            stack.wait(lambda: ask(stack) and 0 <= stack.bucket_now() - stack.committed() <= 1, 2 * INTERVAL, f"a snapshot at {hours:+} h")
            wait_fresh(stack, INTERVAL, f"fresh pages at {hours:+} h")
        assert {seen.status for seen in load.seen} <= {200, 503}
        assert stack.upstream.predictions.count <= calls + 4, "one for each bucket, and one for the jump"
