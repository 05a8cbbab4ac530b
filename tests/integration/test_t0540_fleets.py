# SPDX-License-Identifier: MIT
"""Several fleets on one Redis: separated by their prefixes, and never mixed if two have the same prefix by mistake."""
import re
import shutil
import subprocess
from functools import partial

import pytest
from stack import BUILD, ROOT, Stack, free_port, long_interval
from upstream import Upstream, payload_bytes


class Fleets(Stack):
    """Host 0 belongs to one fleet, host 1 to another; prefixes: of their keys."""

    def __init__(self, prefixes, other, l1=False, **options):
        super().__init__(hosts=2, workers=1, l1=l1, **options)
        self.prefixes, self.other = prefixes, other

    def worker_env(self, host):
        number = self.hosts.index(host)
        env = {**super().worker_env(host), "TFT_REDIS_PREFIX": self.prefixes[number], "TFT_REDIS_USER": self.prefixes[number], "TFT_ANONYMOUS": "operator"}
        if number == 1:
            env |= {"TFT_DAEMON_URL": self.other.daemon_url, "TFT_GENERATOR_URL": self.other.generator_url}
        return env

    def restart_redis(self):
        """Each prefix has its own user, from the template."""
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
        """Everything in Redis except what expires or counts by itself."""
        keys = [key for key in self.redis.keys() if not key.startswith((b"tft:node", b"tft:calls", b"tft:said", b"tft:budget"))]
        return {key: self.redis.dump(key) for key in keys}


class Below(Fleets):
    """One nginx: the fleet of host 1 is below /fleet-b/ on the site of host 0, as set up by tft-fleet(8)."""

    def start_nginx(self, host):
        if host is self.hosts[1]:
            return
        port, etc = free_port(), host.dir / "etc"
        (self.dir / "conf").mkdir()
        (self.dir / "conf" / "nginx").symlink_to(etc)
        shutil.copy(ROOT / "src" / "tft-dashboard.conf", self.dir / "conf")
        command = [ROOT / "scripts" / "tft-fleet", "-d", self.dir / "conf", "-s", self.hosts[1].dir / "fcgi.sock", "fleet-b", str(port)]
        self.said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        text = (etc / "nginx.conf").read_text()
        for part in ("http", "locations"):
            added = "path" if part == "locations" else part
            text = text.replace(f"include tft-{part}.conf;", f"include tft-{part}.conf;\ninclude fleet-b-{added}.conf;")
        (etc / "nginx.conf").write_text(text)
        super().start_nginx(host)
        self.hosts[1].url = f"{host.url}/fleet-b"


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
    with Fleets(("tft", "tft"), other, interval=long_interval()) as stack:
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
        # It is the same fleet after all, at another address.
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
        # The history of each has only its own servers.
        names = [stack.redis.xrevrange(key, count=1)[0][1][b"n"] for key in ("tfthist:risk", "fleet-bhist:risk")]
        assert [b"other01" in text for text in names] == [False, True]
        for host, prefix in enumerate(stack.prefixes):
            epochs = [stack.redis.get(f"{name}:epoch:fleet") for name in stack.prefixes]
            assert stack.cli("flush.lua", "all", prefix)[0] == "ok"
            now = [stack.redis.get(f"{name}:epoch:fleet") for name in stack.prefixes]
            assert [old != new for old, new in zip(epochs, now)] == [host == 0, host == 1]
        # Deleting one does not touch the other.
        kept = len(list(stack.redis.scan_iter("fleet-b:*")))
        stack.redis.unlink(*stack.redis.scan_iter("tft:*"))
        assert kept and len(list(stack.redis.scan_iter("fleet-b:*"))) >= kept
        assert "ev=redis_refused" not in stack.logs() and "ev=cache_foreign" not in stack.logs()


def test_a_second_fleet_below_a_path_of_the_same_nginx(other):
    with Below(("tft", "fleet-b"), other, l1=True, interval=long_interval()) as stack:
        for host in (0, 1):
            stack.wait(lambda: len(stack.names(host)) == 20, what=f"host {host} has a fleet")
        for path in ("/", "/heatmap", "/top", "/api/v1/fleet", "/api/v1/fleet?format=csv"):
            for _ in range(2):  # the second one may be a copy of nginx
                pages = [stack.get(path, host=host).text for host in (0, 1)]
                assert ["other01" in page for page in pages] == [False, True], path
        assert "other01" not in stack.get("/history").text
        assert stack.get("/server/other01").status_code == 404
        assert stack.get("/server/other01", host=1).status_code == 200
        found = re.findall(r'(?:href|src)="([^"#:]+)"', stack.get("/heatmap", host=1).text)
        assert found and not [link for link in found if link.startswith("/")]
        for path in ("/metrics", "/metrics/fleet"):
            assert stack.get(path, host=1).status_code == 404
        assert stack.get("", host=1).headers["Location"].endswith("/fleet-b/")
        # An operator flushes one of them.
        epochs = [stack.redis.get(f"{prefix}:epoch:fleet") for prefix in stack.prefixes]
        headers = {"Sec-Fetch-Site": "same-origin"}
        assert stack.post("/refresh", host=1, headers=headers, data={"x": "1"}).status_code == 303
        now = [stack.redis.get(f"{prefix}:epoch:fleet") for prefix in stack.prefixes]
        assert [old != new for old, new in zip(epochs, now)] == [False, True]
        # Its workers end: nginx does not answer with copies of the other fleet.
        stack.hosts[1].workers[0].stop()
        stack.wait(lambda: stack.get("/top?n=7", host=1).status_code >= 500, what="no worker of fleet-b answers")
        assert "other01" not in stack.get("/top?n=7").text and stack.get("/top?n=7").status_code == 200


def test_tft_fleet_writes_settings_of_its_own_and_keeps_what_is_there(tmp_path):
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx" / "tft-locations.conf").touch()
    shutil.copy(ROOT / "src" / "tft-dashboard.conf", tmp_path)
    before = (tmp_path / "tft-dashboard.conf").read_text()
    run = partial(subprocess.run, capture_output=True, text=True)
    script = ROOT / "scripts" / "tft-fleet"
    assert run([script, "-d", tmp_path, "fleet-b", "8082"]).returncode == 0
    config = run([BUILD / "tft-dashboard", "-c", tmp_path / "fleet-b.conf", "--print-config"], env={"TFT_NODE": "x"}).stdout
    assert "redis.prefix = fleet-b    # file" in config
    (tmp_path / "fleet-b.conf").write_text("[redis]\nprefix = mine\n")
    assert "is kept" in run([script, "-d", tmp_path, "fleet-b", "8083"]).stdout
    assert (tmp_path / "fleet-b.conf").read_text() == "[redis]\nprefix = mine\n"
    assert "127.0.0.1:8083" in (tmp_path / "nginx" / "fleet-b-path.conf").read_text()
    assert "@" not in (tmp_path / "nginx" / "fleet-b-http.conf").read_text()
    files = sorted(tmp_path.rglob("*"))
    for name, port in (("Fleet", "1"), ("a b", "1"), ("../x", "1"), ("myhist", "1"), ("tft", "1"), ("b", "0"), ("b", "70000"), ("", "1")):
        refused = run([script, "-d", tmp_path, name, port])
        assert refused.returncode == 2 and refused.stderr.count("\n") == 1, (name, port)
    assert sorted(tmp_path.rglob("*")) == files and (tmp_path / "tft-dashboard.conf").read_text() == before


class Numbered(Stack):
    """In a separate database."""

    number = 3

    def restart_redis(self):
        config = self.redis_socket.parent.parent / "etc" / "redis.conf"
        config.write_text(config.read_text().replace("databases 1\n", "databases 4\n"))
        super().restart_redis()

    def worker_env(self, host):
        return {**super().worker_env(host), "TFT_REDIS": f"unix:{self.redis_socket}/{self.number}"}


def test_a_database_of_its_own():
    with Numbered(workers=1, interval=long_interval()) as stack:
        stack.wait_fleet()
        stack.redis.select(3)
        assert stack.committed() > 0
        stack.redis.select(0)
        assert stack.redis.keys() == []


def test_a_database_that_is_not_there_is_named_in_the_log():
    with Numbered(workers=1, interval=long_interval()) as stack:
        stack.hosts[0].workers[0].stop()
        (stack.hosts[0].dir / "fcgi.sock").unlink(missing_ok=True)
        stack.number = 9
        stack.start_workers(stack.hosts[0])
        stack.wait(lambda: 'err="database 9: ERR DB index is out of range"' in stack.logs(), what="the log names it")
        stack.wait(lambda: "Shared cache off" in stack.get("/").text, what="the page says that Redis is away")


@pytest.mark.parametrize("script, arguments", [("flush.lua", ("all", "a:b")), ("flush.lua", ("all", "")), ("adopt.lua", ("0" * 15,)),
                                               ("adopt.lua", ("0" * 16, "a b")), ("adopt.lua", ())])  # fmt: skip
def test_scripts_refuse_what_is_no_prefix_and_no_fingerprint(script, arguments):
    with Stack(workers=1, interval=long_interval()) as stack:
        stack.wait_fleet()
        assert stack.hosts[0].workers[0].stop(), "nobody else writes"
        command = ["redis-cli", "-s", stack.redis_socket, "--eval", ROOT / "redis" / script, ",", *arguments]
        keys = sorted(stack.redis.keys())
        owner = stack.redis.get("tfthist:upstream")
        assert subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.startswith("ERR ")
        assert (sorted(stack.redis.keys()), stack.redis.get("tfthist:upstream")) == (keys, owner)
