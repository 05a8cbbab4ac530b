# SPDX-License-Identifier: MIT
"""Makes every call that can fail (memory, sockets, files) fail once, anywhere in a request or the refresh after it.

One worker serves all requests: tests/preload/fail.c makes its k-th call fail, for k from 1 until no call is left. Normally
k advances in strides, which the test prints; TFT_FAIL_STRIDE=1 tries every call (some minutes).
"""
import json
import mmap
import os
import re
import socket
import struct
import subprocess
import time
import xml.etree.ElementTree

import fcgi_client
import pytest
from stack import BUILD, ROOT, Service, Stack, long_interval
from upstream import Upstream, payload_bytes

STRIDE = int(os.environ.get("TFT_FAIL_STRIDE", "0"))
CALLS = ["none", "malloc", "calloc", "realloc", "socket", "connect", "read", "write", "recv", "send", "sendmsg", "socketpair", "posix_spawn"]
SERVERS = 2
PLAIN = {
    "REQUEST_METHOD": "GET", "DOCUMENT_URI": "/", "QUERY_STRING": "", "CONTENT_TYPE": "", "CONTENT_LENGTH": "",
    "REMOTE_ADDR": "127.0.0.1", "REMOTE_USER": "", "TFT_ORIGIN": "", "TFT_SFS": "same-origin", "TFT_INM": "",
    "TFT_AE": "", "TFT_RID": "0123456789abcdef0123456789abcdef", "TFT_END": "1",
}


class Control:
    """struct control of fail.c."""

    NAMES = ("fail_at", "lasting", "calls", "failed", "rounds", "waiting", "ahead_ms")

    def __init__(self, path):
        path.write_bytes(bytes(8 * len(self.NAMES)))
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 0)

    def __getattr__(self, name):
        return struct.unpack_from("q", self.shared, 8 * self.NAMES.index(name))[0]

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("q", self.shared, 8 * self.NAMES.index(name), value)


def small_fleet():
    body = json.loads(payload_bytes("predictions_synthetic-edges-68"))
    body["predictions"] = dict(list(body["predictions"].items())[:SERVERS])
    return body


class FailingStack(Stack):
    """One worker, a child of the test, that refreshes only on request."""

    def __init__(self, library, **options):
        super().__init__(workers=1, interval=long_interval(), l1=False, direct=True, **options)
        self.library = library
        self.control = None

    def start_workers(self, host):
        path = host.dir / "fail"
        self.control = Control(path)
        config = host.dir / "worker.conf"
        config.write_text("[cache]\nidle_tick = off\n")
        env = self.worker_env(host)
        env.update(
            LD_PRELOAD=str(self.library),
            TFT_FAIL=str(path),
            TFT_ANONYMOUS="operator",
            TFT_FLEET_METRICS="on",
            TFT_LOG_LEVEL="info",
            ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
            LSAN_OPTIONS=f"suppressions={self.suppressions(host)}:print_suppressions=0",
        )
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(host.dir / "fcgi.sock"))
            listener.listen(1024)
            argv = [BUILD / "tft-dashboard", "-c", config]
            host.workers = [Service("worker", argv, host.dir / "log" / "worker.log", env, stdin=listener)]

    @staticmethod
    def suppressions(host):
        """json-c 0.16 leaks the value that it was about to add to an object when memory runs out."""
        path = host.dir / "lsan"
        path.write_text("leak:libjson-c.so\n")
        return path

    def alive(self):
        return self.hosts[0].workers[0].process.poll() is None

    def until_waiting(self, rounds=-1):
        """Waits until the worker waits for a request, having done so more than `rounds` times. Too frequent to sleep."""
        end = time.monotonic() + 20
        while not (self.control.waiting and self.control.rounds > rounds):
            assert time.monotonic() < end, "the worker hangs"
            assert self.alive(), "the worker is dead"
            os.sched_yield()

    def ask(self, request, fail_at=0, lasting=0):
        """The answer, None for a closed connection, after all work that follows it."""
        self.until_waiting()
        rounds = self.control.rounds
        # The worker forgets the last failure.
        self.control.set(calls=0, failed=0, fail_at=fail_at, lasting=lasting, ahead_ms=self.control.ahead_ms + 5000)
        try:
            answer = fcgi_client.request(self.hosts[0].dir / "fcgi.sock", dict(PLAIN, **request.params), request.body)
        except OSError:
            answer = None
        self.until_waiting(rounds)
        self.control.set(fail_at=0, lasting=0)
        return answer


class Request:
    def __init__(self, path, query="", post=None):
        self.name = path + ("?" + query if query else "")
        self.body = (post or "").encode()
        self.params = {"DOCUMENT_URI": path, "QUERY_STRING": query}
        if post is not None:
            length, kind = str(len(self.body)), "application/x-www-form-urlencoded"
            self.params.update(REQUEST_METHOD="POST", CONTENT_LENGTH=length, CONTENT_TYPE=kind)


# What Redis has before the request. Nothing of the previous request remains: no breaker, no lock, no used budget.

def clear(redis):
    redis.delete("tft:gate:flush", *(f"tft:{what}:{g}" for what in ("brk", "lock", "budget") for g in ("fleet", "status", "scenario")))


def fresh(redis):
    clear(redis)
    for group in ("status", "scenario"):
        redis.delete(f"tft:cur:{group}")


def stale(redis):
    fresh(redis)
    redis.set("tft:epoch:fleet", "%d" % time.time_ns())


def cold(redis):
    fresh(redis)
    redis.delete("tft:cur:fleet")


def page_paths():
    """The paths of all rows of the page table; some end where the name of a server would follow."""
    rows = (ROOT / "src" / "pages" / "address.c").read_text().split("const struct page page_table[]")[1].split("\n};")[0]
    found = []
    for row in re.split(r"\n\t\{", rows)[1:]:
        path = re.search(r'\.path = "([^"]*)"', row)
        if path:
            found.append(path[1] + ("{server}" if path[1].endswith("/") and path[1] != "/" else ""))
    return found


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("preload") / "fail.so"
    source = ROOT / "tests" / "preload" / "fail.c"
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-O1", "-fno-omit-frame-pointer", "-shared", "-fPIC", "-o", path, source, "-ldl"], check=True)
    return path


@pytest.fixture(scope="module")
def stack(library):
    upstream = Upstream()
    upstream.predictions.body = json.dumps(small_fleet()).encode()
    with upstream, FailingStack(library, upstream=upstream) as running:
        assert len(running.wait_fleet()["servers"]) == SERVERS
        yield running


def check(answer):
    """What a client may see: a complete answer with an expected status, or a closed connection."""
    if answer is None or not answer.complete or answer.status == 0:
        return
    assert answer.status in (200, 303, 400, 404, 429, 500, 502, 503), answer.status
    assert int(answer.headers["content-length"]) == len(answer.body)
    kind = answer.headers["content-type"]
    if kind.startswith("text/html") and answer.status != 303:
        xml.etree.ElementTree.fromstring(answer.body)
    elif "json" in kind:
        json.loads(answer.body)


def settle(stack, request, prepare):
    """The usual answer, and the number of calls in it when none fails."""
    for _ in range(5):
        prepare(stack.redis)
        answer = stack.ask(request)
        if answer and answer.complete:  # otherwise the machine was so slow that the worker gave up the connection
            break
    check(answer)
    assert answer.status < 500 or prepare is cold, (request.name, answer)
    return answer, stack.control.calls


def fail_calls(stack, request, prepare, points, first):
    """Returns the number of calls that failed, about `points`. Similar routes start at different calls."""
    usual, calls = settle(stack, request, prepare)
    stride = STRIDE or max(1, -(-calls // points))
    tried = {}
    k = 1 + first % stride
    while True:
        for lasting in (0, 1):
            prepare(stack.redis)
            answer = stack.ask(request, k, lasting)
            check(answer)
            failed = CALLS[stack.control.failed]
        tried[failed] = tried.get(failed, 0) + 1
        if failed == "none":
            break
        k += stride
    prepare(stack.redis)
    healed = stack.ask(request)
    assert prepare is cold or healed.status == usual.status
    print(f"{prepare.__name__:6} {request.name:60} {calls:6} calls, every {stride}: {tried}")
    return sum(tried.values()) - 1


def run(stack, requests, prepare, points):
    total = 0
    for number, request in enumerate(requests):
        total += fail_calls(stack, request, prepare, points, number)
    print(f"{prepare.__name__}: {total} calls failed")
    assert total >= len(requests)


def routes(stack):
    server = next(iter(small_fleet()["predictions"]))
    paths = [path.format(server=server) for path in page_paths()]
    assert len(paths) > 15
    return paths + ["/api/v1/status", "/readyz", "/healthz", "/metrics", "/metrics/fleet", "/api/v1/openapi.json"]


def test_fresh_pages(stack):
    """Stored, filtered, and in the other formats."""
    requests = [Request(path) for path in routes(stack)]
    requests += [Request(path, "sev=healthy&sort=name&q=p&range=7d&n=10&avg_hours=3") for path in page_paths() if path.count("/") == 1]
    requests += [Request(path, f"format={kind}") for path in ("/", "/heatmap", "/history", "/top", "/cost") for kind in ("json", "csv")]
    requests += [Request("/nothing"), Request("/", "page=x"), Request("/api/v1/servers/nobody")]
    run(stack, requests, fresh, 12)


def test_stale_pages_and_the_refresh_after_them(stack):
    run(stack, [Request(path) for path in ("/", "/heatmap", "/api/v1/fleet")], stale, 60)


def test_cold_pages(stack):
    run(stack, [Request(path) for path in ("/", "/api/v1/fleet", "/advanced")], cold, 30)


def test_actions(stack):
    run(stack, [Request("/refresh", post=""), Request("/refresh", "format=json", post="")], fresh, 40)
    run(stack, [Request("/scenario", post="scenario=degrading&confirm=1"), Request("/scenario", "format=json", post="scenario=healthy&confirm=1")], fresh, 60)
