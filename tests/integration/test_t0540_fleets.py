# SPDX-License-Identifier: MIT
"""Several fleets on one Redis: apart by their prefixes, and where two have the same prefix by mistake, never mixed."""
import subprocess

import pytest
from stack import BUILD, ROOT, Stack
from upstream import Upstream, payload_bytes


class Fleets(Stack):
    """Host 0 is of one fleet, host 1 of another; prefixes: of their keys."""

    def __init__(self, prefixes, other, **options):
        super().__init__(hosts=2, workers=1, l1=False, **options)
        self.prefixes, self.other = prefixes, other

    def worker_env(self, host):
        number = self.hosts.index(host)
        env = {**super().worker_env(host), "TFT_REDIS_PREFIX": self.prefixes[number], "TFT_REDIS_USER": self.prefixes[number], "TFT_ANONYMOUS": "operator"}
        if number == 1:
            env |= {"TFT_DAEMON_URL": self.other.daemon_url, "TFT_GENERATOR_URL": self.other.generator_url}
        return env

    def restart_redis(self):
        """Each prefix has a user of its own, by the template."""
        users = self.redis_socket.parent.parent / "etc" / "users.acl"
        line = users.read_text().splitlines()[0]
        others = {prefix for prefix in self.prefixes if prefix != "tft"}
        added = [line.replace("user tft", f"user {name}").replace("~tft", f"~{name}") for name in others]
        users.write_text("\n".join([*users.read_text().splitlines(), *added, ""]))
        super().restart_redis()

    def names(self, host):
        found = self.get("/api/v1/fleet", host=host).json().get("servers") or []
        return sorted(server["name"] for server in found)

    def cli(self, script, *arguments):
        command = ["redis-cli", "-s", self.redis_socket, "--eval", ROOT / "redis" / script, ",", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.split()

    def fingerprint(self, host):
        env = self.worker_env(self.hosts[host])
        return subprocess.run([BUILD / "tft-dashboard", "--fingerprint"], env=env, capture_output=True, text=True).stdout.strip()

    def state(self):
        """All that Redis holds, but for what ends or counts by itself."""
        keys = [key for key in self.redis.keys() if not key.startswith((b"tft:node", b"tft:calls", b"tft:said", b"tft:budget"))]
        return {key: self.redis.dump(key) for key in keys}


@pytest.fixture
def other():
    """The daemon of the other fleet, with one server less."""
    with Upstream() as upstream:
        body = payload_bytes("predictions_current-critical-20")
        assert b"ppdb001" in body
        upstream.predictions.body = body.replace(b"ppdb001", b"other01")
        yield upstream


def marked(stack, host):
    return "Redis holds the data of another fleet" in stack.get("/", host=host).text


def test_a_fleet_with_the_prefix_of_another_one_is_told_and_never_mixed(other):
    with Fleets(("tft", "tft"), other, interval=300) as stack:
        stack.wait(lambda: marked(stack, 0) or marked(stack, 1), what="the second one is marked")
        owner, guest = (0, 1) if marked(stack, 1) else (1, 0)
        stack.wait(lambda: len(stack.names(guest)) == 20, what="it goes on alone")
        stack.wait(lambda: len(stack.names(owner)) == 20, what="and the owner has its data")
        assert "other01" in stack.names(1) and "other01" not in stack.names(0)
        assert not marked(stack, owner)
        before = stack.state()
        ready = stack.get("/readyz", host=guest)
        assert (ready.status_code, ready.json()["status"]) == (200, "warn")
        assert ready.json()["output"] == "holds the data of another fleet"
        assert stack.get("/readyz", host=owner).json()["status"] == "pass"
        assert stack.post("/refresh", host=guest, headers={"Sec-Fetch-Site": "same-origin"}, data={"x": "1"}).status_code == 503
        assert "No history" in stack.get("/history", host=guest).text or "Shared cache off" in stack.get("/history", host=guest).text
        for _ in range(5):
            assert stack.get("/", host=guest).headers["Cache-Status"].count("tft-local") == 1
        assert stack.state() == before
        assert stack.logs(guest).count("ev=cache_foreign") == 1
        assert "ev=cache_foreign" not in stack.logs(owner)
        # It is the same fleet after all, with another address.
        assert stack.cli("adopt.lua", stack.fingerprint(guest)) == ["ok", stack.fingerprint(owner)]
        stack.wait(lambda: marked(stack, owner) and not marked(stack, guest), what="the owner has changed")
        assert stack.redis.exists("tfthist:fleet")


def test_two_prefixes_on_one_redis_are_two_fleets(other):
    with Fleets(("tft", "fleet-b"), other, interval=5) as stack:
        for host in (0, 1):
            stack.wait(lambda: len(stack.names(host)) == 20, what=f"host {host} has a fleet")
            assert stack.get("/readyz", host=host).json()["status"] == "pass"
        assert ["other01" in stack.names(host) for host in (0, 1)] == [False, True]
        prefixes = {key.split(b":")[0].decode() for key in stack.redis.keys()}
        assert prefixes == {"tft", "tfthist", "fleet-b", "fleet-bhist"}
        # The history of each has its own servers.
        names = [stack.redis.xrevrange(key, count=1)[0][1][b"n"] for key in ("tfthist:risk", "fleet-bhist:risk")]
        assert [b"other01" in text for text in names] == [False, True]
        for host, prefix in enumerate(stack.prefixes):
            epochs = [stack.redis.get(f"{name}:epoch:fleet") for name in stack.prefixes]
            assert stack.cli("flush.lua", "all", prefix)[0] == "ok"
            now = [stack.redis.get(f"{name}:epoch:fleet") for name in stack.prefixes]
            assert [old != new for old, new in zip(epochs, now)] == [host == 0, host == 1]
        # Deleting the one leaves the other.
        kept = len(list(stack.redis.scan_iter("fleet-b:*")))
        stack.redis.unlink(*stack.redis.scan_iter("tft:*"))
        assert kept and len(list(stack.redis.scan_iter("fleet-b:*"))) >= kept
        assert "ev=redis_refused" not in stack.logs() and "ev=cache_foreign" not in stack.logs()


class Numbered(Stack):
    """In a database of its own."""

    number = 3

    def restart_redis(self):
        config = self.redis_socket.parent.parent / "etc" / "redis.conf"
        config.write_text(config.read_text().replace("databases 1\n", "databases 4\n"))
        super().restart_redis()

    def worker_env(self, host):
        return {**super().worker_env(host), "TFT_REDIS": f"unix:{self.redis_socket}/{self.number}"}


def test_a_database_of_its_own():
    with Numbered(workers=1, interval=300) as stack:
        stack.wait_fleet()
        stack.redis.select(3)
        assert stack.committed() > 0
        stack.redis.select(0)
        assert stack.redis.keys() == []


def test_a_database_that_is_not_there_is_named_in_the_log():
    with Numbered(workers=1, interval=300) as stack:
        stack.hosts[0].workers[0].stop()
        (stack.hosts[0].dir / "fcgi.sock").unlink(missing_ok=True)
        stack.number = 9
        stack.start_workers(stack.hosts[0])
        stack.wait(lambda: 'err="database 9: ERR DB index is out of range"' in stack.logs(), what="the log names it")
        stack.wait(lambda: "Shared cache off" in stack.get("/").text, what="the page says that Redis is away")


@pytest.mark.parametrize("script, arguments", [("flush.lua", ("all", "a:b")), ("flush.lua", ("all", "")), ("adopt.lua", ("0" * 15,)),
                                               ("adopt.lua", ("0" * 16, "a b")), ("adopt.lua", ())])  # fmt: skip
def test_scripts_refuse_what_is_no_prefix_and_no_fingerprint(script, arguments):
    with Stack(workers=1, interval=300) as stack:
        stack.wait_fleet()
        command = ["redis-cli", "-s", stack.redis_socket, "--eval", ROOT / "redis" / script, ",", *arguments]
        keys = sorted(stack.redis.keys())
        owner = stack.redis.get("tfthist:upstream")
        assert subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.startswith("ERR ")
        assert (sorted(stack.redis.keys()), stack.redis.get("tfthist:upstream")) == (keys, owner)
