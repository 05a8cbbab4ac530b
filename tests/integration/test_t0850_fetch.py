# SPDX-License-Identifier: MIT
"""tft-fetch, the process that makes a call for a worker: it runs only during the call and reveals no secret, and no page
is lost whatever happens to it or to its worker."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest
from certificates import make_authorities, make_certificate, make_old_certificate
from load import ask
from stack import BUILD, Stack, long_interval
from upstream import Upstream, payload_bytes

PATIENCE_S = 2
KEY = "a-secret-of-the-upstream"
ORDER = struct.Struct("=IIIIIIIIqqq")  # struct fetch_order
OUTCOME = struct.Struct("=qqqq")  # struct fetch_outcome
VERSION = 4
USAGE = 64  # EX_USAGE
REASON_NONE, REASON_CONNECT = 0, 2  # enum reason
ROOT = pathlib.Path(__file__).resolve().parents[2]
REASONS = re.findall(r"^\tREASON_(\w+)", (ROOT / "include/fleet/condition.h").read_text(), re.M)  # by number


class ShortCall(Stack):
    """One worker, a child of the test, that waits only a short time for the daemon."""

    def worker_env(self, host):
        return {**super().worker_env(host), "TFT_API_KEY": KEY}

    def program(self):
        config, script = self.dir / "patient.conf", self.dir / "patient"
        config.write_text(f"[upstream]\ntimeout = {PATIENCE_S}s\n")
        script.write_text(f'#!/bin/sh\nexec "{BUILD}/tft-dashboard" -c "{config}"\n')
        script.chmod(0o755)
        return script


@pytest.fixture
def stack():
    with ShortCall(workers=1, interval=long_interval(), l1=False, direct=True) as running:
        running.wait_fleet()
        yield running
        running.upstream.predictions.release()


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def begin_call(stack):
    """Starts a refresh whose call the daemon does not answer yet; returns the process that makes it."""
    stack.upstream.predictions.hold()
    stack.redis.set("tft:epoch:fleet", "flushed")
    assert ask(stack).status == 200
    assert stack.upstream.predictions.arrived.wait(5)
    (child,) = children(stack.worker_pids()[0])
    return child


def wait_for_log(stack, text):
    stack.wait(lambda: text in stack.logs(), 10, text)


def runs(pid):
    """False for a zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def test_it_is_there_only_during_a_call_and_its_command_tells_nothing(stack):
    child = begin_call(stack)
    assert pathlib.Path(f"/proc/{child}/cmdline").read_bytes() == b"tft-fetch\0"
    stack.upstream.predictions.release()
    stack.wait(lambda: not stack.redis.exists("tft:lock:fleet"), what="the commit")
    assert children(stack.worker_pids()[0]) == [], "none is left, not even dead"
    assert stack.upstream.predictions.calls[-1].headers["x-api-key"] == [KEY]
    assert KEY not in stack.logs()


def test_one_that_is_killed_is_a_failed_call(stack):
    shown = stack.get("/api/v1/fleet").json()
    os.kill(begin_call(stack), signal.SIGKILL)
    wait_for_log(stack, "ev=refresh_failed")
    assert stack.get("/api/v1/fleet").json()["servers"] == shown["servers"]
    assert stack.redis.hget("tft:brk:fleet", "code") == b"internal"
    assert children(stack.worker_pids()[0]) == []


def test_one_that_hangs_is_given_up(stack):
    child = begin_call(stack)
    os.kill(child, signal.SIGSTOP)
    wait_for_log(stack, "ev=refresh_failed")
    assert stack.redis.hget("tft:brk:fleet", "code") == b"timed-out"
    assert not runs(child)


def test_it_does_not_outlive_its_worker(stack):
    child = begin_call(stack)
    os.kill(stack.worker_pids()[0], signal.SIGKILL)
    stack.wait(lambda: not runs(child), 3, "its end")


def test_who_stops_all_processes_lets_the_refresh_be_finished(stack):
    old = stack.redis.hget("tft:cur:fleet", "snap")
    begin_call(stack)
    worker = stack.hosts[0].workers[0]
    os.killpg(worker.pid, signal.SIGTERM)
    stack.upstream.predictions.release()
    stack.wait(lambda: worker.process.poll() == 0, 5, "the worker ends")
    assert stack.redis.hget("tft:cur:fleet", "snap") != old


def test_a_worker_without_it_does_not_start(tmp_path):
    program = tmp_path / "tft-dashboard"
    shutil.copy(BUILD / "tft-dashboard", program)
    check = subprocess.run([program, "--check"], capture_output=True, text=True)
    assert check.returncode == 78
    assert "tft-fetch: No such file" in check.stderr and check.stderr.count("\n") == 1
    shutil.copy(BUILD / "tft-fetch", tmp_path)
    assert subprocess.run([program, "--check"]).returncode == 0


# By itself

def fetch(order):
    """What it sends after these bytes, and its exit status; then the other end is closed."""
    ours, its = socket.socketpair()
    with ours, its:
        process = subprocess.Popen([BUILD / "tft-fetch"], stdin=its, stdout=its)
        its.close()
        ours.settimeout(20)
        ours.sendall(order)
        received = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while more := ours.recv(65536):
                received += more
    return bytes(received), process.wait(20)


def order(url, version=VERSION, ca_file=b""):
    return ORDER.pack(version, len(url), 0, 0, len(ca_file), 0, 0, 0, 1000, 5000, 1 << 24) + url + ca_file


def take(received):
    """(body, reason, status, retry after, bytes)"""
    body = b""
    while True:
        (length,) = struct.unpack_from("=I", received)
        received = received[4:]
        if length == 0:
            return body, *OUTCOME.unpack(received)
        body += received[:length]
        received = received[length:]


def test_body_and_outcome():
    with Upstream() as upstream:
        received, code = fetch(order(upstream.daemon_url.encode() + b"/predictions/current"))
    body = payload_bytes("predictions_current-healthy-20")
    assert code == 0
    assert take(received) == (body, REASON_NONE, 200, 0, len(body))


def test_outcome_alone():
    received, code = fetch(order(b"http://127.0.0.1:9"))
    assert code == 0
    assert take(received) == (b"", REASON_CONNECT, 0, 0, 0)


@pytest.mark.parametrize("bad", [
    order(b"http://127.0.0.1:9", version=VERSION + 1),
    ORDER.pack(VERSION, 0xFFFFFFFF, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    ORDER.pack(VERSION, 10, 0, 0, 0, (32 << 20) + 1, 0, 0, 0, 0, 0) + bytes(12000),
    ORDER.pack(VERSION, 4000, 4000, 100, 93, 0, 0, 0, 0, 0, 0) + bytes(12000),
], ids=["another version", "4 GB", "a post of 32 MB", "12 KB"])
def test_an_order_that_it_cannot_carry_out_is_refused(bad):
    assert fetch(bad) == (b"", USAGE)


def test_half_an_order_is_refused():
    ours, its = socket.socketpair()
    with ours, its:
        process = subprocess.Popen([BUILD / "tft-fetch"], stdin=its, stdout=its)
        its.close()
        ours.sendall(order(b"http://127.0.0.1:9")[:30])
    assert process.wait(20) == USAGE


# TLS, and servers that do not speak it

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    make_authorities(directory)
    make_certificate(directory, "good", "IP:127.0.0.1")
    make_certificate(directory, "other", "DNS:elsewhere.example")
    make_old_certificate(directory, "old", "IP:127.0.0.1")
    return directory


def tls(directory, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / f"{name}.pem", directory / f"{name}.key")
    return lambda connection: context.wrap_socket(connection, server_side=True)


@contextlib.contextmanager
def server(wrap, answer):
    """A server for one connection: what it sends after the first bytes that it reads; returns its port."""
    def serve():
        with contextlib.suppress(OSError):
            plain, _ = listener.accept()
            with plain, wrap(plain) as connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def plain(connection):
    return connection


GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
TLS_CASES = {
    "in order": ("https", "good", GOOD, "ca", "NONE"),
    "no authority known": ("https", "good", GOOD, None, "CERTIFICATE"),
    "another authority": ("https", "good", GOOD, "stranger", "CERTIFICATE"),
    "no such file": ("https", "good", GOOD, "missing", "CERTIFICATE"),
    "out of date": ("https", "old", GOOD, "ca", "CERTIFICATE"),
    "another name": ("https", "other", GOOD, "ca", "CERTIFICATE_NAME"),
    "https to a plain server": ("https", None, b"HTTP/1.0 400 Bad Request\r\n\r\n", "ca", "NOT_HTTPS"),
    "http to a TLS server": ("http", None, b"\x15\x03\x01\x00\x02\x02\x46", None, "NOT_HTTP"),
    "another protocol": ("http", None, b"220 mail ESMTP\r\n", None, "NOT_HTTP"),
    "empty": ("http", None, b"", None, "EMPTY"),
    "empty over TLS": ("https", "good", b"", "ca", "EMPTY"),
    "cut short": ("http", None, GOOD[:-1], None, "INCOMPLETE"),
    "cut short over TLS": ("https", "good", GOOD[:-1], "ca", "INCOMPLETE"),
}


@pytest.mark.parametrize("case", TLS_CASES)
def test_an_operator_can_tell_what_is_wrong(certificates, case):
    scheme, name, answer, authority, reason = TLS_CASES[case]
    with server(tls(certificates, name) if name else plain, answer) as port:
        ca_file = str(certificates / f"{authority}.pem").encode() if authority else b""
        received, code = fetch(order(f"{scheme}://127.0.0.1:{port}/".encode(), ca_file=ca_file))
    assert code == 0
    assert REASONS[take(received)[1]] == reason


def test_a_file_of_authorities_that_is_not_there_is_named_at_the_start(tmp_path):
    check = subprocess.run([BUILD / "tft-dashboard", "--check"], capture_output=True, text=True,
                           env={**os.environ, "TFT_CA_FILE": str(tmp_path / "none.pem")})
    assert check.returncode == 78
    assert check.stderr == f"tft-dashboard: upstream.ca_file: {tmp_path}/none.pem: No such file or directory\n"
