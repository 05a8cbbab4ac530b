# SPDX-License-Identifier: MIT
"""nginx between viewers and workers: what it retries, its restarts, a full disk, too many connections, odd clients."""
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest
from fcgi_client import END_REQUEST, STDIN, STDOUT, record, records, stream
from load import Load, ask
from stack import Service, Stack, long_interval

PAGES = ("/", "/heatmap?profile=db")  # nginx allows one client any number of them
PATHS = (*PAGES, "/api/v1/fleet", "/healthz")


@pytest.fixture(scope="module")
def stack():
    """One worker: everybody notices whoever holds it."""
    with Stack(workers=1, interval=long_interval(), l1=False) as running:
        running.upstream.predictions.load("predictions_current-critical-500")
        running.redis.flushdb()
        running.wait(lambda: len(running.wait_fleet()["servers"]) > 400, 20, "the large fleet")
        yield running


# Retries

def hang_up(_):
    pass


def answer(peer):
    peer.sendall(stream(STDOUT, b"Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nfine") + record(END_REQUEST, bytes(8)))


def half_an_answer(peer):
    peer.sendall(record(STDOUT, b"Content-Type: text/plain\r\nContent-Length: 40000\r\n\r\n" + b"x" * 20000))


def end_kept_connections(stack):
    """Ends the connections that nginx keeps to the worker."""
    (pid,) = stack.worker_pids()
    os.kill(pid, signal.SIGTERM)
    stack.wait(lambda: stack.worker_pids() not in ([], [pid]), what="the successor")


class Impostor:
    """Takes the place of the workers: each connection sends a request and gets the next act."""

    def __init__(self, stack, *acts):
        self.stack = stack
        self.path = stack.hosts[0].dir / "fcgi.sock"
        self.aside = self.path.with_suffix(".aside")
        self.acts = acts
        self.taken = 0

    def __enter__(self):
        self.path.rename(self.aside)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.path.chmod(0o666)
        self.listener.listen(8)
        end_kept_connections(self.stack)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.aside.rename(self.path)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def run(self):
        for act in (*self.acts, hang_up, hang_up, hang_up):
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.taken += 1
            with peer:
                for kind, content in records(peer):
                    if kind == STDIN and not content:
                        break
                act(peer)


@pytest.mark.parametrize("method, form, acts, status, taken", [
    ("GET", None, (hang_up, answer), 200, 2),
    ("HEAD", None, (hang_up, answer), 200, 2),
    ("GET", None, (hang_up, hang_up, answer), 502, 2),
    ("POST", "confirm=1", (hang_up, answer), 502, 1),
])  # fmt: skip
def test_a_get_is_tried_once_more_and_a_post_never(stack, method, form, acts, status, taken):
    with Impostor(stack, *acts) as impostor:
        seen = ask(stack, "/refresh" if form else "/", method=method, form=form)
    assert (seen.status, impostor.taken) == (status, taken)
    assert ask(stack).status == 200


def test_an_answer_that_is_cut_is_never_taken_for_a_whole_one(stack):
    with Impostor(stack, half_an_answer, answer) as impostor:
        seen = ask(stack)
    assert (seen.status, impostor.taken) == (0, 1)
    assert "of 40000 bytes" in seen.error


# nginx itself

def inner(master):
    """The processes that serve; not those that end after a reload, nor the cache manager."""
    children = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return {int(pid) for pid in children if title(pid) == b"nginx: worker process"}


def title(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ")
    except (FileNotFoundError, ProcessLookupError):
        return b""


@contextlib.contextmanager
def daemon_nginx(stack):
    """nginx in the foreground, as a system runs it; there it ignores the request to upgrade itself. Yields a function for
    the master's pid."""
    host = stack.hosts[0]
    config, pid_file = host.dir / "etc" / "nginx.conf", host.dir / "nginx.pid"
    host.nginx.stop()
    config.write_text(config.read_text().replace("daemon off;", ""))

    def master():
        text = ""
        with contextlib.suppress(FileNotFoundError):  # an upgrade renames it
            text = pid_file.read_text().strip()
        return int(text) if text and title(text).startswith(b"nginx: master") else None

    subprocess.run([shutil.which("nginx"), "-e", host.dir / "log" / "nginx.log", "-p", host.dir, "-c", config], check=True)
    try:
        stack.wait(master, what="the pid of nginx")
        yield master
    finally:
        if pid := master():
            os.kill(pid, signal.SIGTERM)
            stack.wait(lambda: not title(pid), what="the end of nginx")


def test_reload_and_upgrade_of_nginx_lose_nothing():
    with Stack(workers=2, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        with daemon_nginx(stack) as master, Load(stack, PAGES, clients=3) as load:
            first = master()
            for _ in range(20):
                old = inner(first)
                os.kill(first, signal.SIGHUP)
                stack.wait(lambda: len(now := inner(first)) == 2 and not now & old, 20, "new processes of nginx")
            os.kill(first, signal.SIGUSR2)
            second = stack.wait(lambda: (pid := master()) != first and pid, what="the second nginx")
            stack.wait(lambda: len(inner(second)) == 2, what="its processes")
            os.kill(first, signal.SIGQUIT)
            stack.wait(lambda: not title(first), 20, "the end of the first nginx")
            answered = len(load.seen)
            stack.wait(lambda: len(load.seen) > answered + 20, what="answers of the second")
        assert load.lost() == []


def test_a_killed_nginx_process_costs_its_connections_only(stack):
    with Load(stack, PAGES, clients=4) as load:
        victim = min(inner(stack.hosts[0].nginx.pid))
        stack.wait(lambda: len(load.seen) > 10, what="answers")
        os.kill(victim, signal.SIGKILL)
        stack.wait(lambda: len(now := inner(stack.hosts[0].nginx.pid)) == 2 and victim not in now, what="its successor")
        answered = len(load.seen)
        stack.wait(lambda: len(load.seen) > answered + 20, what="answers")
    assert len(load.lost()) <= 4
    assert [seen.status for seen in load.lost()] == [0] * len(load.lost())


def limit(pid, what, soft):
    """Sets the soft limit and returns the old one; nothing exceeds the hard limit."""
    old = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (soft if old[1] == resource.RLIM_INFINITY else min(soft, old[1]), old[1]))
    return old


def test_a_full_disk_cuts_no_page():
    """Every write to a file fails: micro-cache, temporary files, logs."""
    with Stack(workers=2, interval=long_interval(), l1=True) as stack:
        host = stack.hosts[0]
        stack.wait_fleet()
        host.nginx.stop()
        argv = ["env", "--ignore-signal=XFSZ", shutil.which("nginx"), "-e", host.dir / "log" / "nginx.log", "-p", host.dir]
        host.nginx = Service("nginx", [*argv, "-c", host.dir / "etc" / "nginx.conf"], host.dir / "log" / "nginx.log")
        stack.wait(lambda: stack.healthy(host), what="nginx")
        pages = [path for path in PATHS if path != "/healthz"]
        whole = {path: ask(stack, path).body for path in pages}
        pids = [host.nginx.pid, *inner(stack.hosts[0].nginx.pid)]
        old = [limit(pid, resource.RLIMIT_FSIZE, 0) for pid in pids]
        logged = stack.access_log()
        for path in pages * 3:
            seen = ask(stack, path)
            assert (seen.status, len(seen.body)) == (200, len(whole[path])), seen
        assert stack.access_log() == logged, "the limit works"
        for pid, limits in zip(pids, old):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        assert ask(stack).status == 200
        stack.wait(lambda: stack.access_log() != logged, what="a new line in the log")


def idle_connections(stack, count, stay):
    """Opens this many silent connections; those that nginx does not accept stay in the queue of the socket."""
    return [stay.enter_context(socket.create_connection(("127.0.0.1", stack.hosts[0].port), 5)) for _ in range(count)]


@contextlib.contextmanager
def many_descriptors(count=4000):
    old = limit(0, resource.RLIMIT_NOFILE, count)
    try:
        yield
    finally:
        resource.prlimit(0, resource.RLIMIT_NOFILE, old)


def test_nginx_without_descriptors_recovers_when_clients_go(stack):
    pids = inner(stack.hosts[0].nginx.pid)
    old = {pid: limit(pid, resource.RLIMIT_NOFILE, 48) for pid in pids}
    try:
        with contextlib.ExitStack() as stay:
            idle_connections(stack, 150, stay)
            stack.wait(lambda: "Too many open files" in stack.nginx_log(), what="a word in nginx' log")
        stack.wait(lambda: {ask(stack, path).status for path in PATHS} == {200}, what="pages again")
    finally:
        for pid, limits in old.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert inner(stack.hosts[0].nginx.pid) == pids


# The queue of the workers

def test_a_full_queue_is_told_at_once_and_passes(stack):
    path = str(stack.hosts[0].dir / "fcgi.sock")
    end_kept_connections(stack)
    (pid,) = stack.worker_pids()
    stack.pause(pid)
    with many_descriptors(), contextlib.ExitStack() as stay:
        for count in range(3000):
            peer = stay.enter_context(socket.socket(socket.AF_UNIX))
            peer.setblocking(False)
            try:
                peer.connect(path)
            except BlockingIOError:
                break
        seen = ask(stack)
        stay.close()
        stack.resume(pid)
    assert count >= 1024
    assert seen.status == 502 and seen.headers["retry-after"] == "5" and b"</html>" in seen.body
    stack.wait(lambda: ask(stack).status == 200, what="a page again")
    assert stack.worker_pids() == [pid]


def test_a_stopped_worker_costs_what_is_kept_to_it():
    """16 connections from each of the two nginx processes."""
    with Stack(workers=2, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        with Load(stack, PAGES, clients=12) as before:
            stack.wait(lambda: len(before.seen) > 300, 20, "connections to both")
        pid = stack.worker_pids()[0]
        stack.pause(pid)
        try:
            with Load(stack, PAGES, clients=48) as load:
                stack.wait(lambda: len(load.seen) > 1000, 60, "pages of the other")
        finally:
            stack.resume(pid)
        assert {seen.status for seen in load.failed()} <= {504}
        assert len(load.failed()) <= 32
        assert max(seen.took for seen in load.seen if seen.status == 200) < 2


# Clients

def say(stack, data, stay, small=False):
    """A client that has sent this much."""
    peer = stay.enter_context(socket.socket())
    if small:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(20)
    peer.connect(("127.0.0.1", stack.hosts[0].port))
    peer.sendall(data)
    return peer


def everything(peer):
    with contextlib.suppress(ConnectionResetError):
        return b"".join(iter(lambda: peer.recv(1 << 16), b""))
    return b""


GET = b"GET /api/v1/fleet HTTP/1.1\r\nHost: a\r\n"
CHUNKED = b"POST /refresh HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_slow_rude_and_silent_clients_hold_no_worker(stack):
    with contextlib.ExitStack() as stay:
        headers = say(stack, GET, stay)
        body = say(stack, b"POST /refresh HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nconf", stay)
        chunks = say(stack, CHUNKED + b"400\r\n%s\r\n" % (b"x" * 1024) * 5, stay)
        [say(stack, GET + b"\r\n", stay, small=True) for _ in range(50)]  # they never read
        idle_connections(stack, 200, stay)
        for _ in range(20):
            with contextlib.ExitStack() as short:
                rude = say(stack, GET + b"\r\n", short)
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for _ in range(5):
            say(stack, GET + b"\r\n", stay).shutdown(socket.SHUT_WR)
        pipeline = say(stack, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", stay)
        answers = everything(pipeline)
        assert answers.count(b"HTTP/1.1 200 OK") == 2 and answers.index(b'"pass"') < answers.index(b"<!")
        assert {ask(stack, path, timeout=5).status for path in PATHS * 5} == {200}
        assert b" 413 " in everything(chunks)
        # nginx ends the two others; no other process has seen them.
        assert b" 200 " not in everything(headers) + everything(body)
        assert {ask(stack, path, timeout=5).status for path in PATHS} == {200}
