# SPDX-License-Identifier: MIT
"""Several hosts on one Redis: wrong clocks, a host cut off, a lock holder that dies or sleeps at each step of its work."""
import hashlib
import os
import pathlib
import re
import secrets
import signal
import subprocess
import time

import pytest
import redis as redis_client
from load import Load, ask
from proxy import Proxy, ProxiedStack
from recorder import Recorder
from stack import BUILD, ROOT, Stack, clock_library, free_port, long_interval

POINTS = ("before-fetch", "after-fetch", "before-stage", "before-commit")


class Hosts(Stack):
    """host_env: additional environment for the workers of each host."""

    def __init__(self, host_env, **options):
        super().__init__(hosts=len(host_env), **options)
        self.host_env = host_env

    def worker_env(self, host):
        return {**super().worker_env(host), **self.host_env[self.hosts.index(host)]}


def snap(stack):
    return stack.redis.hget("tft:cur:fleet", "snap").decode()


# Clocks

def wrong_by(seconds):
    return {
        "LD_PRELOAD": clock_library(),
        "TFT_CLOCK_OFFSET": str(seconds),
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
    }


@pytest.mark.parametrize("skew", [30, 86400])
def test_wrong_clocks_change_nothing(skew, tmp_path):
    """Buckets, ages and leases follow Redis' clock: still one call per bucket, and the same bytes everywhere."""
    with Hosts([wrong_by(skew), wrong_by(-skew), {}], workers=2, interval=5, l1=False) as stack:
        stack.wait_fleet()
        stamps = [re.search(r"ts=\S+", stack.logs(host))[0] for host in range(3)]
        assert stamps[1] < stamps[2] < stamps[0], "the clocks are wrong"
        first = stack.committed()
        with Recorder(stack, tmp_path) as record:
            with Load(stack, ("/", "/heatmap?profile=db"), clients=3, hosts=range(3), note=record.answer) as load:
                stack.wait(lambda: stack.committed() >= first + 2, 12, "two more buckets")
        assert record.violations() == []
        assert {int(seen.headers["age"]) for seen in load.seen if seen.status == 200} <= set(range(7))

        def same():
            row = [ask(stack, "/", host) for host in range(3)]
            return row if len({seen.headers.get("x-tft-bucket", seen.host) for seen in row}) == 1 else None

        assert len({seen.body for seen in stack.wait(same, what="a round within one bucket")}) == 1


# Partition

def test_host_without_redis_goes_on_alone_and_comes_back(tmp_path):
    with ProxiedStack(workers=2, hosts=2, interval=5, l1=False) as stack:
        for host in (0, 1):
            stack.wait_fleet(host=host)
        with Recorder(stack, tmp_path) as record, Load(stack, ("/",), clients=2, hosts=(1,), note=record.answer) as other:
            with record.fault("down"):
                stack.proxy.refuse = True
                stack.proxy.sever()

                def alone():
                    page = record.ask(ask, "/")
                    return page if page.cache.startswith("tft-local; hit") and b"Shared cache off" in page.body else None

                # Each worker has 3 s from its first request, and one client may reach one worker after the other.
                stack.wait(alone, 12, "own snapshot of host 0")
                newest = stack.committed()
                stack.wait(lambda: stack.committed() > newest, 8, "the other host's next bucket")
                page = stack.wait(alone, 12, "a page of host 0")
                stack.proxy.heal()
            stack.wait(lambda: all(record.ask(ask).cache.startswith("tft-redis; hit") for _ in range(6)), 6, "host 0 is back")
        assert record.violations() == []
        assert not [seen for seen in other.seen if b"Shared cache off" in seen.body], "at most a moment's stall"
        assert page.status == 200 and b"Shared cache off" in page.body

        def agree():
            buckets = {ask(stack, "/api/v1/fleet", host).headers.get("x-tft-bucket") for host in (0, 1)}
            return len(buckets) == 1 and None not in buckets

        stack.wait(agree, what="both hosts show the same bucket")
        # A stall of Redis on a busy machine is said at once, and for a moment only.
        stack.wait(lambda: b"Shared cache off" not in ask(stack).body, 6, "the shared cache in use")


def test_workers_without_redis_share_the_call_budget():
    """26 calls a minute for all workers together: each has its share, however short the interval is."""

    def lonely(workers):
        return Stack(workers=1, interval=5, l1=False, redis=False, direct=True, env={"TFT_WORKERS_TOTAL": str(workers)})

    with lonely(4) as few, lonely(26) as many:
        for stack in (few, many):
            stack.wait(lambda: ask(stack).cache.startswith("tft-local"), 8, "an own snapshot")
        few_calls, many_calls = few.upstream.predictions.calls, many.upstream.predictions.calls
        stack.wait(lambda: ask(few) and ask(many) and len(few_calls) == 2, 15, "the second call of one of four")
        assert 10 <= few_calls[1].at - few_calls[0].at <= 12.5
        assert len(many_calls) == 1


def test_deaths_without_redis_make_no_calls_more():
    """The record of a host's calls outlives its workers: these six make 24 a minute, however often they are replaced."""
    with Stack(workers=3, hosts=2, interval=5, l1=False, redis=False) as stack:
        for times in range(1, 5):
            end = time.monotonic() + 3.8
            stack.wait(lambda: ask(stack) and ask(stack, host=1) and time.monotonic() > end, what="each has been asked, and the grace is over")
            for pid in stack.worker_pids(0) + stack.worker_pids(1):
                os.kill(pid, signal.SIGKILL)
            stack.wait(lambda: stack.logs().count("ev=start") >= 6 * (times + 1), what="their successors")
        calls = [call.at for call in stack.upstream.predictions.calls]
        assert len(calls) >= 6, "without calls this test shows nothing"
        assert all(later - call >= 14.9 for call, later in zip(calls, calls[6:])), calls


# Holders of the lock

def has_fault_hooks():
    return "define ENABLE_FAULT_HOOKS 1" in (BUILD / "config.h").read_text()


def state_of(pid):
    """R, S, T ... or Z for a process that has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


@pytest.fixture(scope="module")
def holders(tmp_path_factory):
    """One host with one worker for each fault, and a last one without a fault. Nothing is refreshed unless a test causes
    it."""
    if not has_fault_hooks():
        pytest.skip("built without --enable-fault-hooks")
    arm = tmp_path_factory.mktemp("fault") / "armed"
    faults = [f"{point}:{action}" for point in POINTS for action in ("kill", "stop")]
    env = [{"TFT_FAULT": fault, "TFT_FAULT_ARM": str(arm)} for fault in faults] + [{}]
    with Hosts(env, workers=1, interval=long_interval(), l1=False, direct=True) as stack:
        stack.wait_fleet()
        stack.arm = arm
        stack.faults = faults
        stack.rescuer = len(faults)
        yield stack


def run_into_fault(stack, fault, state):
    """Makes the worker with that fault win the lock and run into its fault; returns its host and pid."""
    host = stack.faults.index(fault)
    (pid,) = stack.worker_pids(host)
    stack.arm.touch()
    stack.redis.delete("tft:budget:fleet")  # eight scenarios within a minute exceed the limit
    stack.redis.set("tft:epoch:fleet", "before-" + fault)
    stack.wait(lambda: "REFRESH" in ask(stack, host=host).cache, 5, "the lock is won")
    stack.wait(lambda: state_of(pid) in state, 5, f"{fault} in state {state}")
    assert not stack.arm.exists()
    return host, pid


def rescue(stack, record):
    """The lease ends, and another worker refreshes."""
    last = snap(stack)
    waiting = [record.ask(ask, path, stack.rescuer) for path in ("/", "/heatmap") * 3]
    assert {seen.status for seen in waiting} == {200}
    assert {seen.cache.rpartition("detail=")[2] for seen in waiting} == {"FLUSHED"}
    assert stack.redis.pttl("tft:lock:fleet") > 0, "a holder that is gone leaves a lock that ends by itself"
    stack.redis.pexpire("tft:lock:fleet", 1)
    stack.wait(lambda: record.ask(ask, host=stack.rescuer) and snap(stack) != last, 5, "the rescuer's snapshot")
    return snap(stack)


@pytest.mark.parametrize("point", POINTS)
def test_killed_holder_costs_one_lease_and_at_most_one_call(holders, point, tmp_path):
    calls = holders.upstream.predictions.count
    with Recorder(holders, tmp_path) as record:
        with record.fault("death"):
            run_into_fault(holders, point + ":kill", "Z")
        rescue(holders, record)
    assert record.violations() == []
    assert holders.upstream.predictions.count - calls == (1 if point == "before-fetch" else 2)
    holders.wait(lambda: all(holders.redis.pttl(key) > 0 for key in holders.redis.keys("tft:s:*")), what="staged keys that expire")


@pytest.mark.parametrize("point", POINTS)
def test_holder_that_slept_longer_than_its_lease_changes_nothing(holders, point, tmp_path):
    calls = holders.upstream.predictions.count
    with Recorder(holders, tmp_path) as record:
        with record.fault("stop"):
            host, pid = run_into_fault(holders, point + ":stop", "T")
            holders.paused.add(pid)
            token = holders.redis.get("tft:lock:fleet").decode().partition("|")[0]
            published = rescue(holders, record)
            rescued = record.ask(ask, host=holders.rescuer)
            if point == "before-fetch":
                # A call that begins later than 1.8 s into the lease might outlive it.
                end = rescued.ended + 1.8
                holders.wait(lambda: ask(holders, host=holders.rescuer).ended > end, 5, "a late hour")
            breaker = holders.redis.exists("tft:brk:fleet")
            holders.resume(pid)
        late = holders.wait(lambda: (seen := record.ask(ask, host=host)).status == 200 and seen, what="the sleeper answers again")
    assert record.violations() == []
    assert snap(holders) == published
    assert late.body == rescued.body
    assert holders.redis.exists("tft:brk:fleet") == breaker
    assert holders.upstream.predictions.count - calls == (1 if point == "before-fetch" else 2)
    refused = re.findall(r"ev=refresh_failed .*result=(\S+)", holders.logs(host))
    assert refused == (["too-late"] if point == "before-fetch" else ["old"])
    assert not holders.redis.keys("tft:s:%s:*" % token)


# Real networks

def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


@pytest.fixture
def networks():
    """Two network namespaces, each joined to this host by its own link: (namespace, link, our address)."""
    made = []
    try:
        for index in (1, 2):
            name, wire, net = f"tft{os.getpid()}h{index}", f"tft{os.getpid() % 10000}w{index}", f"10.213.{index}"
            made.append((name, wire, f"{net}.1"))
            for command in (
                f"netns add {name}",
                f"link add {wire} type veth peer name eth0 netns {name}",
                f"addr add {net}.1/24 dev {wire}",
                f"link set {wire} up",
                f"-n {name} addr add {net}.2/24 dev eth0",
                f"-n {name} link set eth0 up",
                f"-n {name} link set lo up",
            ):
                done = ip(*command.split())
                if done.returncode:
                    pytest.skip(f"no network namespaces here: {done.stderr.strip()}")
        yield made
    finally:
        for name, wire, _ in made:
            ip("link", "del", wire)
            ip("netns", "del", name)


class Remote(Stack):
    """The workers of each host run in their own network and reach Redis and the daemons by TCP over its link."""

    def __init__(self, networks, **options):
        super().__init__(hosts=len(networks), **options)
        self.networks = networks
        self.doors = []

    def door(self, target, address):
        self.doors.append(Proxy(target, bind=address))
        return self.doors[-1].address

    def worker_env(self, host):
        _, _, address = self.networks[self.hosts.index(host)]
        env = super().worker_env(host)
        env["TFT_REDIS"] = self.door(self.redis_socket, address)
        env["TFT_FLEET"] = "one"  # each network has another address for the same daemon
        for name in ("TFT_DAEMON_URL", "TFT_GENERATOR_URL"):
            target, port = env[name].removeprefix("http://").split(":")
            env[name] = "http://" + self.door((target, int(port)), address)
        return env

    def launcher(self, host):
        name, _, _ = self.networks[self.hosts.index(host)]
        return ["ip", "netns", "exec", name]

    def stop(self, check=True):
        for door in self.doors:
            door.close()
        super().stop(check)


def test_cut_wire_is_like_redis_down_for_that_host_only(networks, tmp_path):
    """No packet is refused and none comes back: only the deadlines end the waiting."""
    with Remote(networks, workers=2, interval=5, l1=False) as stack:
        for host in (0, 1):
            stack.wait_fleet(host=host)
        with Recorder(stack, tmp_path) as record, record.fault("down"):
            ip("link", "set", networks[0][1], "down")
            with Load(stack, clients=2, note=record.answer) as cut, Load(stack, clients=1, hosts=(1,), note=record.answer) as other:
                newest = stack.committed()
                stack.wait(lambda: b"Shared cache off" in ask(stack).body, 6, "host 0 says that the cache is off")
                stack.wait(lambda: stack.committed() > newest, 8, "the other host's next bucket")
            ip("link", "set", networks[0][1], "up")
        assert record.violations() == []
        assert cut.slowest().took < 1, cut.slowest()
        assert {seen.status for seen in cut.seen} <= {200, 503}
        assert other.lost() == []
        stack.wait(lambda: all(ask(stack).cache.startswith("tft-redis; hit") for _ in range(6)), 8, "host 0 is back")


class Shared(Remote):
    """One Redis that both hosts reach, set up by redis/shared.conf.in as doc/operations.md describes."""

    def restart_redis(self):
        etc = self.redis_socket.parent.parent / "etc"
        self.redis_port = free_port()
        self.admin = secrets.token_hex(16)
        private = (etc / "redis.conf").read_text()
        own = "".join(line for line in private.splitlines(True) if not line.startswith(("port ", "aclfile ")))
        shared = (ROOT / "redis" / "shared.conf.in").read_text()
        for name, value in (
            ("PREFIX", "tft"),
            ("ADDRESS", " ".join(address for _, _, address in self.networks)),
            ("TFT_PASSWORD_SHA256", hashlib.sha256(self.password.encode()).hexdigest()),
            ("ADMIN_PASSWORD_SHA256", hashlib.sha256(self.admin.encode()).hexdigest()),
        ):
            shared = shared.replace(f"@{name}@", value)
        (etc / "shared.conf").write_text(shared)
        (etc / "redis.conf").write_text(f"{own}port {self.redis_port}\ninclude {etc}/shared.conf\n")
        options = dict(unix_socket_path=str(self.redis_socket), socket_timeout=5)
        self.redis = redis_client.Redis(username="admin", password=self.admin, **options)
        super().restart_redis()

    def worker_env(self, host):
        _, _, address = self.networks[self.hosts.index(host)]
        return {**super().worker_env(host), "TFT_REDIS": f"{address}:{self.redis_port}"}

    def from_outside(self, *words, user=None, password=None):
        """What Redis answers to redis-cli on the first host."""
        name, _, address = self.networks[0]
        login = ["--user", user, "--pass", password, "--no-auth-warning"] if user else []
        command = [*self.launcher(self.hosts[0]), "redis-cli", "-h", address, "-p", str(self.redis_port), *login, *words]
        result = subprocess.run(command, capture_output=True, text=True, timeout=10)
        return result.stdout + result.stderr


STRANGERS = ({}, {"user": "default", "password": ""}, {"user": "tft", "password": "wrong"}, {"user": "nobody", "password": "x"})


def test_shared_redis_lets_the_hosts_in_and_nobody_else(networks):
    with Shared(networks, workers=2, interval=long_interval(), l1=False) as stack:
        for host in (0, 1):
            stack.wait_fleet(host=host)
            stack.wait(lambda: ask(stack, host=host).cache.startswith("tft-redis; hit"), what=f"host {host} reads what is shared")
        assert stack.upstream.predictions.count == 1
        for stranger in STRANGERS:
            for words in (["GET", "tft:cur:fleet"], ["SET", "tft:mine", "1"], ["DEL", "tft:cur:fleet"], ["CONFIG", "GET", "*"]):
                assert re.search("NOAUTH|WRONGPASS", stack.from_outside(*words, **stranger)), (stranger, words)
        login = {"user": "tft", "password": stack.password}
        assert stack.from_outside("PING", **login) == "PONG\n"
        for words in (["FLUSHALL"], ["KEYS", "*"], ["SET", "other", "1"], ["CONFIG", "GET", "*"], ["ACL", "LIST"]):
            assert "NOPERM" in stack.from_outside(*words, **login), words
        assert stack.redis.hexists("tft:cur:fleet", "bucket") and not stack.redis.exists("tft:mine", "other")
