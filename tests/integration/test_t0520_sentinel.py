# SPDX-License-Identifier: MIT
"""Redis with Sentinel: three real ones, a primary and a replica. The tests depend on each other, because a failover
happens once."""
import re
import signal
import time

import pytest
import redis as redis_client
from load import Load, ask
from redis.backoff import NoBackoff
from redis.retry import Retry
from stack import REDIS_SERVER, ROOT, Service, Stack, free_port

INTERVAL = 5
PASSWORD = "of-the-sentinels"
PATHS = ("/", "/heatmap")


class Server:
    """A Redis server or a sentinel on its own port, with a configuration that it may rewrite."""

    def __init__(self, stack, name, port, config, *options):
        self.name, self.port, self.options = name, port, options
        self.dir = stack.dir / name
        self.dir.mkdir()
        self.config = self.dir / "redis.conf"
        self.config.write_text(config.replace("@DIR@", str(self.dir)).replace("@PORT@", str(port)))
        # A failover disconnects all clients.
        self.client = redis_client.Redis(
            port=port, socket_timeout=5, retry=Retry(NoBackoff(), 3), retry_on_error=[redis_client.ConnectionError]
        )
        self.service = None

    def start(self, stack):
        self.service = Service(self.name, [REDIS_SERVER, self.config, *self.options], self.dir / "log")
        stack.wait(self.answers, what=f"{self.name} answers")

    def answers(self):
        try:
            return self.client.ping()
        except (redis_client.ConnectionError, redis_client.TimeoutError):
            return False

    def kill(self):
        if self.service:
            self.service.stop(signal.SIGKILL)
            self.service = None

    def role(self):
        return self.client.execute_command("ROLE")[0].decode()

    def count(self, command):
        """Calls of a command since the server started, including those from replication."""
        return self.client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"]

    def snapshot(self):
        return self.client.hget("tft:cur:fleet", "snap")


class SentinelStack(Stack):
    def restart_redis(self):
        first = free_port(5)
        config = self.redis_config()
        replica = f"replicaof 127.0.0.1 {first}\n"
        self.servers = [
            Server(self, "redis-0", first, config),
            Server(self, "redis-1", first + 1, config + replica),
        ]
        config = self.sentinel_config(first)
        self.sentinels = [Server(self, f"sentinel-{i}", first + 2 + i, config, "--sentinel") for i in range(3)]
        for server in self.servers + self.sentinels:
            server.start(self)
        self.wait(self.is_known, 20, "each sentinel knows the others and the replica")

    def redis_config(self):
        """The configuration of a private server, but on a port, and with the sentinels' user."""
        etc = self.hosts[0].dir / "etc"
        user = re.search(r"^# (user sentinel .*)$", (ROOT / "redis/sentinel.conf.in").read_text(), re.M).group(1)
        with open(etc / "users.acl", "a") as users:
            users.write(user.replace(">PASSWORD", ">" + PASSWORD) + "\n")
        text = re.sub(r"^(port|unixsocket\w*|dir) .*\n", "", (etc / "redis.conf").read_text(), flags=re.M)
        return text + "port @PORT@\nbind 127.0.0.1\ndir @DIR@\nrepl-diskless-sync-delay 0\n"

    def sentinel_config(self, primary_port):
        text = re.sub(r"^#.*\n", "", (ROOT / "redis/sentinel.conf.in").read_text(), flags=re.M)
        text = text.replace("@PRIMARY@", f"127.0.0.1 {primary_port}").replace("@PASSWORD@", PASSWORD)
        text = re.sub(r"(down-after-milliseconds tft) \d+", r"\1 1000", text)
        return re.sub(r"(failover-timeout tft) \d+", r"\1 5000", text)

    def is_known(self):
        for sentinel in self.sentinels:
            state = sentinel.client.sentinel_master("tft")
            if state["num-other-sentinels"] != 2 or state["num-slaves"] != 1:
                return False
        return True

    def worker_env(self, host):
        addresses = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return {**super().worker_env(host), "TFT_REDIS": f"sentinel:{addresses}/tft"}

    def stop(self, check=True):
        try:
            super().stop(check)
        finally:
            for server in getattr(self, "sentinels", []) + getattr(self, "servers", []):
                server.kill()


@pytest.fixture(scope="module")
def stack():
    with SentinelStack(workers=2, interval=INTERVAL) as stack:
        stack.wait_fleet()
        yield stack


def is_live(seen):
    return seen.status == 200 and seen.cache.startswith("tft-redis; hit; ttl=")


def wait_commit(stack, server):
    before = server.snapshot()
    stack.wait(lambda: server.snapshot() != before, INTERVAL + 5, f"a commit on {server.name}")


def test_a_server_that_is_no_primary_is_not_used(stack):
    """Not even for reading, whatever a sentinel says."""
    replica, sentinel = stack.servers[1], stack.sentinels[2]
    sentinel.client.execute_command("SENTINEL", "MONITOR", "misnamed", "127.0.0.1", replica.port, 9)
    sentinel.client.execute_command("SENTINEL", "SET", "misnamed", "auth-user", "sentinel", "auth-pass", PASSWORD)
    env = {
        "TFT_REDIS": f"sentinel:127.0.0.1:{sentinel.port}/misnamed",
        "TFT_REDIS_PASSWORD_FILE": str(stack.hosts[0].dir / "redis.pass"),
    }
    with Stack(workers=1, interval=INTERVAL, redis=False, l1=False, direct=True, env=env) as misled:
        misled.wait(lambda: "not a primary" in (ask(misled) and misled.logs()), what="the replica is refused")
        misled.wait_fleet()
        assert f"127.0.0.1:{sentinel.port} names 127.0.0.1:{replica.port}: not a primary" in misled.logs()
        assert ask(misled).cache.startswith("tft-local")
    sentinel.client.execute_command("SENTINEL", "REMOVE", "misnamed")
    assert replica.count("role") > 0
    assert replica.count("hmget") == replica.count("evalsha") == 0


def test_failover_under_load(stack):
    """One of the sentinels, the first in the list, is dead as well."""
    old, new = stack.servers
    stack.sentinels[0].kill()
    wait_commit(stack, old)
    stack.wait(lambda: new.snapshot() == old.snapshot(), what="replicated")
    assert all(ask(stack, path).status == 200 for path in PATHS)  # nginx may have copies
    calls, began = stack.upstream.predictions.count, time.monotonic()
    with Load(stack, PATHS, clients=2, pause=0.05) as load:
        old.kill()
        stack.wait(lambda: new.role() == "master", 15, "failover")
        wait_commit(stack, new)
    calls, buckets = stack.upstream.predictions.count - calls, int((time.monotonic() - began) / INTERVAL) + 1
    assert {seen.status for seen in load.seen} == {200}
    assert calls <= buckets + 1
    stack.wait(lambda: all(is_live(ask(stack, "/history")) for _ in range(6)), what="both workers use the new primary")


def test_the_old_primary_is_not_written_when_it_comes_back(stack):
    """Until the sentinels tell it otherwise, it acts as the primary."""
    old, new = stack.servers
    old.start(stack)
    before, role = old.snapshot(), old.role()
    new.client.client_kill_filter(_type="normal", skipme=True)  # all ask for the primary again
    wait_commit(stack, new)
    assert role == "master"
    assert old.count("evalsha") == old.count("hmget") == 0
    assert old.role() == "slave" or old.snapshot() == before


def test_a_primary_that_became_a_replica_with_clients_connected_is_left(stack):
    """It keeps its connections and answers reads; the first refused write makes the worker ask for the primary again."""
    server = stack.servers[1]
    asked = server.count("role")
    server.client.execute_command("REPLICAOF", "127.0.0.1", 1)
    stack.wait(lambda: ask(stack) and server.count("role") > asked, INTERVAL + 5, "its role is asked")
