# SPDX-License-Identifier: MIT
"""The whole dashboard for one test: Redis, nginx, workers and a fake upstream in a temporary directory.

    with Stack(workers=2) as stack:
        stack.wait_fleet()
        assert stack.get("/").status_code == 200

The configuration is rendered by scripts/render-config.sh, the same as for start_all.sh. Binaries and assets come
from the build directory TFT_BUILD (default: the source directory). Two stacks share nothing.
"""
import atexit
import contextlib
import functools
import hashlib
import math
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import redis as redis_client
import requests

from upstream import Upstream

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("TFT_BUILD") or ROOT).resolve()
os.environ["PATH"] += ":/usr/sbin"  # for a user other than root, nginx is here
REDIS_SERVER = os.environ.get("TFT_TEST_REDIS_SERVER", "redis-server")  # or a compatible server: valkey-server
SANITIZER = re.compile(r"^.*(?:ERROR: \w+Sanitizer|runtime error:).*$", re.M)


def free_port(count=1):
    """The first of `count` free ports in a row. They are below the ephemeral range, or a client could take one meanwhile."""
    for _ in range(1000):
        first = random.randrange(15000, 32000)
        with contextlib.ExitStack() as probes:
            try:
                for port in range(first, first + count):
                    probes.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
        return first
    raise AssertionError(f"no {count} free ports in a row")


def wait_until(predicate, timeout, what):
    """Polls until predicate() is true and returns its value. The only place in the test suite that sleeps."""
    end = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"waited {timeout} s for: {what}")
        time.sleep(0.02)


def processes():
    """The directory in /proc of every process. One may be gone when it is looked at, over which glob() with a path fails."""
    return [pathlib.Path("/proc", name) for name in os.listdir("/proc") if name.isdigit()]


def other_build(program, number=0):
    """The bytes of a program with the id of another build, and that id. Its end stays, because the linker may have placed a
    short text there that ends alike, such as "1d"."""
    (old,) = set(re.findall(rb"build ([0-9a-f]{12})\b", program))
    new = b"%08x" % number + old[8:]
    return program.replace(old, new), new


def group_alive(pgid):
    """True if a process of that group runs. Zombies do not count: the init of a container may be slow to reap."""
    for process in processes():
        try:
            state, _, group = (process / "stat").read_text(errors="replace").rpartition(") ")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(group) == pgid and state != "Z":
            return True
    return False


def long_interval():
    """The interval, in seconds, for a stack in which nothing is refreshed unasked: the length near the longest one whose
    bucket has most of its time left: more than three and a half minutes, whenever a test begins."""
    return max(range(200, 301), key=lambda seconds: seconds - time.time() % seconds)


def to_bucket(interval):
    """By how many seconds a clock must be ahead, so that a bucket of that interval has just begun by it."""
    return interval - int(time.time()) % interval


@functools.cache
def clock_library():
    """Path of the library that makes the clock of a program wrong (tests/preload/clock.c)."""
    directory = tempfile.mkdtemp(prefix="tft-clock-", dir="/tmp")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    library, source = f"{directory}/clock.so", ROOT / "tests" / "preload" / "clock.c"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


class Service:
    """One started program, leader of its own process group, so that no descendant can escape."""

    def __init__(self, name, argv, log, env=None, stdin=subprocess.DEVNULL):
        self.name = name
        # Should the test run be killed, nobody else would end the program.
        argv = ["setpriv", "--pdeathsig", "TERM", *argv]
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                argv, stdin=stdin, stdout=output, stderr=output, env=env, start_new_session=True
            )
        self.pid = self.process.pid

    def children(self):
        try:
            text = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(pid) for pid in text.split()]

    def alive(self):
        self.process.poll()  # a dead leader must be reaped, or its group seems to live
        return group_alive(self.pid)

    def send(self, sig):
        """Sends the signal to the leader, who passes it on; if a test has killed the leader, to its orphans."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        elif self.alive():
            os.killpg(self.pid, sig)

    def stop(self, sig=signal.SIGTERM, timeout=20):
        """True if all processes of this service ended by themselves; the others are killed."""
        self.send(sig)
        try:
            wait_until(lambda: not self.alive(), timeout, self.name)
            return True
        except AssertionError:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
            return False


class Host:
    """nginx and a group of workers in one run directory."""

    def __init__(self, run_dir):
        self.dir = run_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.nginx = None
        self.workers = []

    def log(self, name):
        path = self.dir / "log" / name
        return path.read_text(errors="backslashreplace") if path.exists() else ""


class Stack:
    """workers    workers per host
    interval   refresh interval in seconds
    l1         micro-cache of nginx on or off
    redis      False: no Redis runs (restart_redis() may start one later)
    upstream   the caller's Upstream; by default the stack has its own and closes it
    env        additional environment of the workers
    hosts      number of nginx and worker groups on one Redis
    direct     workers are children of the test, and nobody restarts them; otherwise spawn-fcgi and multiwatch run them
    ahead      None, or by how many seconds Redis' clock is ahead at first: leap() puts it forward
    """

    def __init__(
        self, workers=2, interval=30, l1=True, redis=True, upstream=None, env=None, hosts=1, direct=False, ahead=None
    ):
        self.worker_count = workers
        self.interval = interval
        self.l1 = l1
        self.with_redis = redis
        self.own_upstream = upstream is None
        self.upstream = upstream
        self.extra_env = env or {}
        self.host_count = hosts
        self.direct = direct
        self.ahead = ahead
        self.hosts = []
        self.redis_service = None
        self.paused = set()
        self.dir = None
        self.redis = None

    # Life

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tft-", dir="/tmp"))  # short: a socket path has 107 bytes
        try:
            self.start()
        except BaseException:
            self.stop(check=False)
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.stop(check=kind is None)

    def start(self):
        if self.own_upstream:
            self.upstream = Upstream()
        self.password = secrets.token_hex(16)
        self.redis_socket = self.dir / "0" / "redis" / "redis.sock"
        self.hosts = [Host(self.dir / str(i)) for i in range(self.host_count)]
        for host in self.hosts:
            self.render(host)
        self.redis = redis_client.Redis(unix_socket_path=str(self.redis_socket), socket_timeout=5)
        if self.with_redis:
            self.restart_redis()
        for host in self.hosts:
            self.start_workers(host)
            self.start_nginx(host)

    def render(self, host):
        for name in ("log", "tmp", "redis"):
            (host.dir / name).mkdir(parents=True)
        (host.dir / "redis.pass").touch(mode=0o600)
        (host.dir / "redis.pass").write_text(self.password)
        script = ROOT / "scripts" / "render-config.sh"
        settings = self.settings(host)
        subprocess.run([script, *(f"{key}={value}" for key, value in settings.items())], check=True)

    def settings(self, host):
        return {
            "RUN_DIR": host.dir,
            "ASSETS": BUILD / "assets",
            "PORT": host.port,
            "L1": "on" if self.l1 else "off",
            "RUN_USER": "root" if os.geteuid() == 0 else "",
            "REDIS_PASSWORD_SHA256": hashlib.sha256(self.password.encode()).hexdigest(),
        }

    def stop(self, check=True):
        """Ends everything. With check: fails if a process had to be killed or a sanitizer reported something."""
        for pid in list(self.paused):
            self.resume(pid)
        services = []
        for host in self.hosts:
            services += ([host.nginx] if host.nginx else []) + host.workers
        for service in services:  # signal all, then wait for each
            service.send(signal.SIGTERM)
        services += [self.redis_service] if self.redis_service else []  # last: workers may still commit
        stubborn = [service.name for service in services if not self.ended(service)]
        if self.own_upstream and self.upstream:
            self.upstream.close()
        complaints = SANITIZER.findall(self.logs())
        if os.environ.get("TFT_KEEP"):
            print(f"kept {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        if check:
            assert not stubborn, f"did not end by themselves: {stubborn}"
            assert not complaints, complaints

    @staticmethod
    def ended(service):
        return not service.alive() or service.stop()

    # Redis

    def redis_command(self):
        """With a clock of its own, jemalloc's thread would never sleep: it waits for times that are past by the kernel's clock."""
        return [REDIS_SERVER, self.redis_socket.parent.parent / "etc" / "redis.conf", "--jemalloc-bg-thread", "no"]

    def restart_redis(self):
        """Starts Redis; after stop_redis(), with the contents of its append-only file."""
        self.stop_redis()
        log = self.redis_socket.parent.parent / "log" / "redis.log"
        self.redis_service = Service("redis", self.redis_command(), log, self.clock_env())
        self.wait(self.redis_answers, what="Redis answers")

    def clock_env(self):
        if self.ahead is None:
            return None
        file = self.dir / "clock"
        file.write_bytes(struct.pack("q", self.ahead))
        return {**os.environ, "LD_PRELOAD": clock_library(), "TFT_CLOCK_FILE": str(file)}

    def leap(self, seconds=None):
        """Puts Redis' clock forward, to the next bucket unless told otherwise. Buckets, ages and leases go by it, so that
        nobody need wait for them; a worker looks at the clock once a second."""
        self.ahead += seconds or math.ceil(self.seconds_to_bucket())
        with open(self.dir / "clock", "r+b") as file:  # never shorter: Redis has mapped it
            file.write(struct.pack("q", self.ahead))

    def next_snapshot(self):
        """The one of a later bucket, which leap() makes due. A worker looks at the clock once a second: then each that is asked
        has noticed."""
        before = self.committed()
        self.leap()
        noticed = time.monotonic() + 1

        def later():
            for host in range(self.host_count):
                self.get("/", host=host)
            return self.committed() > before and time.monotonic() > noticed

        self.wait(later, what="the next snapshot")

    def redis_answers(self):
        try:
            return self.redis.ping()
        except (redis_client.ConnectionError, redis_client.TimeoutError):
            return False

    def stop_redis(self, sig=signal.SIGTERM):
        if self.redis_service:
            self.redis_service.stop(sig)
            self.redis_service = None
            self.redis_socket.unlink(missing_ok=True)  # left over after a SIGKILL

    # Workers and nginx

    def worker_env(self, host):
        env = {key: value for key, value in os.environ.items() if not key.startswith("TFT_")}
        env.update(
            TFT_REDIS=f"unix:{self.redis_socket}",
            TFT_REDIS_USER="tft",
            TFT_REDIS_PASSWORD_FILE=str(host.dir / "redis.pass"),
            TFT_DAEMON_URL=self.upstream.daemon_url,
            TFT_GENERATOR_URL=self.upstream.generator_url,
            TFT_REFRESH_INTERVAL=str(self.interval),
            TFT_WORKERS=str(self.worker_count),
            TFT_WORKERS_TOTAL=str(self.worker_count * self.host_count),
            TFT_LOG_LEVEL="debug",
        )
        env.update(self.extra_env)
        return env

    def launcher(self, host):
        """The words that precede the command that starts a host's workers."""
        return []

    def program(self):
        return BUILD / "tft-dashboard"

    def start_workers(self, host):
        path = str(host.dir / "fcgi.sock")
        program = str(self.program())
        log = host.dir / "log" / "worker.log"
        env = self.worker_env(host)
        if not self.direct:
            argv = ["spawn-fcgi", "-n", "-s", path, "-M", "0660", "-b", "1024", "--"]
            argv += [shutil.which("multiwatch"), "-f", str(self.worker_count), "-r", "1000000", "-t", "0", "-s", "INT"]
            argv += ["--", program]
            host.workers = [Service("workers", self.launcher(host) + argv, log, env)]
            return
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1024)
            host.workers = [
                Service(f"worker {i}", [program], log, env, stdin=listener) for i in range(self.worker_count)
            ]

    def start_nginx(self, host):
        log = host.dir / "log" / "nginx.log"
        # With its path, because an upgrade of nginx starts the program of that name.
        argv = [shutil.which("nginx"), "-e", log, "-p", host.dir, "-c", host.dir / "etc" / "nginx.conf"]
        host.nginx = Service("nginx", argv, log)
        self.wait(lambda: self.healthy(host), what="/healthz answers 200")

    def healthy(self, host):
        assert host.nginx.process.poll() is None, f"nginx ended: {host.log('nginx.log')}"
        try:
            return requests.get(host.url + "/healthz", timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    def worker_pids(self, host=0):
        services = self.hosts[host].workers
        if self.direct:
            return [service.pid for service in services if service.process.poll() is None]
        return services[0].children()

    def pause(self, pid):
        self.paused.add(pid)
        os.kill(pid, signal.SIGSTOP)

    def resume(self, pid):
        self.paused.discard(pid)
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    # Requests

    def url(self, path="/", host=0):
        return self.hosts[host].url + path

    def request(self, method, path, host=0, **kw):
        """Sends a request on its own connection; redirects are returned, not followed."""
        kw.setdefault("timeout", 15)
        kw.setdefault("allow_redirects", False)
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url(path, host), **kw)

    def get(self, path="/", **kw):
        return self.request("GET", path, **kw)

    def head(self, path="/", **kw):
        return self.request("HEAD", path, **kw)

    def post(self, path, data=None, **kw):
        return self.request("POST", path, data=data, **kw)

    # Observation

    def wait(self, predicate, timeout=20, what="condition"):
        """Polls until predicate() is true and returns its value; a failure shows the logs."""
        try:
            return wait_until(predicate, timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()[-4000:]}") from None

    def bucket_now(self):
        """The present bucket by Redis' clock, as the workers see it."""
        return self.redis.time()[0] // self.interval

    def seconds_to_bucket(self):
        seconds, micros = self.redis.time()
        return self.interval - (seconds + micros / 1e6) % self.interval

    def committed(self):
        """The bucket of the snapshot in Redis; -1: there is none."""
        return int(self.redis.hget("tft:cur:fleet", "bucket") or -1)

    def wait_fleet(self, timeout=20, host=0):
        """Waits for the first snapshot and returns the fleet as the API gives it."""

        def fleet():
            answer = self.get("/api/v1/fleet", host=host)
            found = answer.json() if answer.status_code == 200 else {}
            return found if found.get("servers") else None

        return self.wait(fleet, timeout, "/api/v1/fleet shows servers")

    def logs(self, host=None):
        """The log of the workers, of one host or of all."""
        chosen = self.hosts if host is None else [self.hosts[host]]
        return "".join(h.log("worker.log") for h in chosen)

    def access_log(self, host=0):
        return self.hosts[host].log("access.log")

    def nginx_log(self, host=0):
        return self.hosts[host].log("nginx.log")
