# SPDX-License-Identifier: MIT
"""An upstream that is absent, or that answers never, slowly, endlessly, or with too much or too deep data: the pages stay, the
reason is reported, one call is made, and no limit of time or memory is exceeded."""
import contextlib
import gzip
import pathlib
import re
import socket

import pytest
from load import ask
from proxy import Proxy
from stack import BUILD, Stack, long_interval
from upstream import payload_bytes

PATIENCE_S = 3
MOST_KB = 32 * 1024
CONFIG = f"[upstream]\ntimeout = {PATIENCE_S}s\nmax_body = 1m\n"
GOOD = payload_bytes("predictions_current-healthy-20")


class LimitedStack(Stack):
    """A host for each upstream address: through a proxy, one that accepts no connection, a name that does not exist. Each has
    one worker, with low limits that are reached soon."""

    def start(self):
        self.closing = contextlib.ExitStack()
        self.full = self.closing.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        self.closing.enter_context(socket.create_connection(self.full.getsockname()))  # its queue is full
        super().start()

    def worker_env(self, host):
        if not hasattr(self, "proxy"):
            port = int(self.upstream.daemon_url.rpartition(":")[2])
            self.proxy = Proxy(("127.0.0.1", port), bind="127.0.0.1")
            self.addresses = [self.proxy.address, "%s:%d" % self.full.getsockname(), "no-such-host.invalid:80"]
        url = "http://" + self.addresses[self.hosts.index(host)]
        return {**super().worker_env(host), "TFT_DAEMON_URL": url, "TFT_FLEET": "one"}

    def program(self):
        config, script = self.dir / "limited.conf", self.dir / "limited"
        config.write_text(CONFIG)
        script.write_text(f'#!/bin/sh\nexec "{BUILD}/tft-dashboard" -c "{config}"\n')
        script.chmod(0o755)
        return script

    def stop(self, check=True):
        super().stop(check)
        self.proxy.close()
        self.closing.close()


@pytest.fixture(scope="module")
def running():
    with LimitedStack(hosts=3, workers=1, interval=long_interval(), l1=False, direct=True) as stack:
        yield stack


def clear_back_off(stack):
    """An idle worker of another host may have tried before, in vain; this removes its back-off."""
    stack.redis.delete("tft:brk:fleet")


@pytest.fixture
def stack(running):
    """A good snapshot is there, and the upstream works before and after."""
    running.redis.flushdb()
    running.wait(lambda: is_live(running) or clear_back_off(running), 30, "a good snapshot")
    yield running
    running.upstream.predictions.reset_controls()
    running.upstream.predictions.release()
    running.proxy.heal()


def is_live(stack):
    answer = stack.get("/api/v1/fleet")
    return answer.status_code == 200 and answer.json()["condition"] == "ok" and answer.json()["servers"]


def attempt(stack, host=0):
    """Makes the data stale; returns the fleet after that host has tried to get new ones."""
    stack.redis.set("tft:epoch:fleet", "flushed")
    assert ask(stack, host=host).status == 200
    # A slow resolver also delays the status call.
    stack.wait(lambda: stack.redis.exists("tft:brk:fleet"), PATIENCE_S + 12, "a failed attempt")
    return stack.wait(lambda: (a := stack.get("/api/v1/fleet")).json().get("detail") and a.json(), what="the reason")


def peak_kb(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def sanitized(pid):
    return "libasan" in pathlib.Path(f"/proc/{pid}/maps").read_text()


# Bodies

def set_body(body, **headers):
    def apply(stack):
        endpoint = stack.upstream.predictions
        endpoint.body = body
        endpoint.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    return apply


def claim_more(stack):
    stack.upstream.predictions.length = len(GOOD) + 1000


def silence(stack):
    stack.upstream.predictions.hold()


def drip(size):
    def apply(stack):
        stack.upstream.predictions.body = stack.upstream.drip(GOOD, size, 0.2)

    return apply


def headers_only(stack):
    stack.upstream.predictions.body = lambda: iter(lambda: stack.upstream.closing.wait(PATIENCE_S + 2) and None or b"", None)


def instead(data):
    def apply(stack):
        stack.proxy.replace = data

    return apply


def hang_up(stack):
    stack.upstream.predictions.cut = -1


def endless(unit):
    """400 MB: more than fits in memory, if a program tried to keep it."""
    return lambda: (unit for _ in range(400 * (1 << 20) // len(unit)))


CASES = {
    "no answer": (silence, "timed out"),
    "a byte now and then": (drip(1), "answer incomplete"),
    "slowly": (drip(1500), "timed out"),
    "a head and nothing": (headers_only, "timed out"),
    "interim answers for ever": (instead(b"HTTP/1.1 100 Continue\r\n\r\n" * 20000), "answer incomplete"),
    "not HTTP": (instead(b"220 mail ESMTP\r\n"), "does not speak HTTP"),
    "longer by its head": (claim_more, "answer incomplete"),
    "no last chunk": (set_body(lambda: [b"c\r\n{\"predictions\r\n"], Transfer_Encoding="chunked"), "answer incomplete"),
    "hangs up": (hang_up, "empty answer"),
    "space without end": (set_body(endless(b" " * 65536)), "answer too large"),
    "an error without end": (set_body(endless(b"<p>" * 20000)), "answer not understood"),
    "a packed bomb": (set_body(gzip.compress(bytes(300 << 20), 9)[:900000], Content_Encoding="gzip"), "answer not understood"),
    "a million deep": (set_body(b'{"alerts":' + b"[" * 1_000_000), "answer not understood"),
    "a server a million deep": (set_body(b'{"predictions":{"a":' + b'{"a":' * 200_000), "answer not understood"),
    "nobody there": (lambda stack: None, "timed out", 1),
    "no such name": (lambda stack: None, "name not found", 2),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown_remains_and_one_call_is_made(stack, name):
    spoil, detail, *host = CASES[name]
    host = host[0] if host else 0
    (pid,) = stack.worker_pids(host)
    shown, calls, memory = stack.wait_fleet(), stack.upstream.predictions.count, peak_kb(pid)
    spoil(stack)
    fleet = attempt(stack, host)
    assert fleet["detail"] == detail
    assert (fleet["servers"], fleet["generated_at"]) == (shown["servers"], shown["generated_at"])
    assert stack.upstream.predictions.count == calls + (host == 0)
    assert peak_kb(pid) < memory + MOST_KB or sanitized(pid)
    assert all("accept-encoding" not in call.headers for call in stack.upstream.calls)
    assert stack.worker_pids(host) == [pid]
