# SPDX-License-Identifier: MIT
"""Workers that end, are killed, run out of descriptors or are delayed by a peer: nothing is lost, nobody waits for long.

TFT_GETS=100000 and TFT_ROLLS=1000 make long runs of the two tests under load."""
import collections
import contextlib
import os
import pathlib
import random
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import time

import pytest
from configured import Configured
from fcgi_client import BEGIN_REQUEST, KEEP, PARAMS, STDIN, Connection, encode, pairs, read_answer, record, request
from load import Load, ask
from stack import BUILD, Stack, long_interval, other_build

PARAMETERS = {"REQUEST_METHOD": "GET", "DOCUMENT_URI": "/", "QUERY_STRING": "", "TFT_AE": "identity", "TFT_RID": "t", "TFT_END": "1"}
ACTION = {**PARAMETERS, "REQUEST_METHOD": "POST", "DOCUMENT_URI": "/refresh", "CONTENT_LENGTH": "0", "REMOTE_ADDR": "127.0.0.1"}
STOP_LIMIT = 1.0


@pytest.fixture
def single():
    """One worker that nobody restarts. It does not ask for the daemon's status, since a request that does so ends the
    kept connections."""
    with Configured("[cache]\nstatus_interval = 1m\n", workers=1, interval=long_interval(), l1=False, direct=True) as stack:
        stack.wait_fleet()
        yield stack


@pytest.fixture
def watched():
    """Four workers; a worker that dies is restarted."""
    with Stack(workers=4, interval=5, l1=False) as stack:
        stack.wait_fleet()
        yield stack


def fcgi_socket(stack):
    return stack.hosts[0].dir / "fcgi.sock"


def connect(stack):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(15)
    peer.connect(str(fcgi_socket(stack)))
    return peer


def terminate(stack):
    """Sends TERM to the only worker; returns the seconds until it has ended normally."""
    process = stack.hosts[0].workers[0].process
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    stack.wait(lambda: process.poll() is not None, 20, "the worker ends")
    assert process.returncode == 0
    return time.monotonic() - began


# TERM

def test_term_ends_an_idle_worker(single):
    assert terminate(single) < STOP_LIMIT
    assert "ev=stop code=0" in single.logs()


def test_term_during_a_request_lets_it_finish(stack_factory):
    """An action, because it can be delayed."""
    stack = stack_factory(workers=1, interval=long_interval(), l1=False, direct=True, env={"TFT_ANONYMOUS": "operator"})
    stack.wait_fleet()
    setting = stack.upstream.scenario_set
    setting.hold()
    form = b"scenario=critical&confirm=1"
    action = {**ACTION, "DOCUMENT_URI": "/scenario", "CONTENT_LENGTH": str(len(form)), "CONTENT_TYPE": "application/x-www-form-urlencoded",
              "TFT_SFS": "same-origin"}
    with connect(stack) as peer:
        peer.sendall(encode(action, form))
        assert setting.arrived.wait(5)
        process = stack.hosts[0].workers[0].process
        process.send_signal(signal.SIGTERM)
        setting.release()
        answer = read_answer(peer)
    assert (answer.status, answer.complete) == (303, True)
    stack.wait(lambda: process.poll() == 0, 2, "the worker ends")


def test_term_during_a_refresh_lets_it_publish(single):
    predictions = single.upstream.predictions
    old = single.redis.hget("tft:cur:fleet", "snap")
    predictions.hold()
    single.redis.set("tft:epoch:fleet", "flushed")
    assert ask(single).status == 200
    assert predictions.arrived.wait(5)
    process = single.hosts[0].workers[0].process
    process.send_signal(signal.SIGTERM)
    assert process.poll() is None
    predictions.release()
    single.wait(lambda: process.poll() == 0, 3, "the worker ends")
    assert single.redis.hget("tft:cur:fleet", "snap") != old
    assert not single.redis.exists("tft:lock:fleet")


def test_term_is_heard_however_many_requests_wait(single):
    """A worker that always finds a connection never sleeps, but must still see the signal."""
    queue = [connect(single) for _ in range(600)]
    try:
        for peer in queue:
            peer.sendall(encode({**PARAMETERS, "DOCUMENT_URI": "/healthz"}))
        assert terminate(single) < STOP_LIMIT
    finally:
        for peer in queue:
            peer.close()


# Under load

def runs(pid):
    """The worker has not only been forked: until exec it has the supervisor's signal handlers, and a signal would be
    lost."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as words:
            return words.read().split("\0")[0].endswith("/tft-dashboard")
    except (FileNotFoundError, ProcessLookupError):
        return False


def replaced(stack, *gone):
    pids = stack.worker_pids()
    return len(pids) == stack.worker_count and not set(gone) & set(pids) and all(runs(pid) for pid in pids)


class OwnProgram(Stack):
    """Workers of a program that the test may replace, with a configuration that it may damage."""

    def program(self):
        # Not a script: multiwatch finds the new program at the same path.
        self.installed = self.dir / "tft-dashboard"
        shutil.copy(BUILD / "tft-fetch", self.dir)
        self.install(self.next_build()[0])
        return self.installed

    def install(self, content):
        """Like a package: the new file replaces the old one, which is still running."""
        new = self.installed.with_suffix(".new")
        new.write_bytes(content)
        new.chmod(0o755)
        new.replace(self.installed)

    def next_build(self, number=0):
        return other_build((BUILD / "tft-dashboard").read_bytes(), number)


ROLLS = int(os.environ.get("TFT_ROLLS", "10"))
GETS = int(os.environ.get("TFT_GETS", "3000"))


class Tally:
    """Counts Load's answers, because a long run cannot keep their bodies."""

    def __init__(self):
        self.count = 0
        self.lost = []
        self.builds = collections.Counter()

    def __call__(self, seen):
        self.count += 1
        if seen.status != 200 and (seen.status != 503 or "x-tft-node" not in seen.headers):
            self.lost.append(seen)
        self.builds.update(re.findall(rb"<footer.* build ([0-9a-f]{12})", seen.body))


def test_rolling_restarts_and_upgrades_lose_nothing_and_ask_for_nothing():
    """Each restart but the first is an upgrade. Meanwhile pages of two builds are stored, and no build uses those of the
    other."""
    tally = Tally()
    with OwnProgram(workers=4, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        with Load(stack, ("/", "/heatmap?profile=db"), clients=4, note=tally, keep=False):
            for roll in range(ROLLS):
                program, build = stack.next_build(roll)
                stack.install(program)
                for pid in stack.worker_pids():
                    os.kill(pid, signal.SIGTERM)
                    stack.wait(lambda: replaced(stack, pid), 20, "the worker's successor")
                stack.wait(lambda: tally.builds[build] > 10, what="pages of the new build")
        calls = stack.upstream.predictions.count
        buckets = stack.redis.hget("tft:cur:fleet", "bucket")
    assert tally.lost == []
    assert len(tally.builds) == ROLLS
    assert calls <= 2, f"one, and another if an interval ended; bucket {buckets}"


# Answers of one FastCGI record. A worker killed between two records leaves a cut answer, and the viewer has to ask again.
SHORT = ("/heatmap?profile=db", "/healthz")


def test_killed_workers_lose_no_get(watched):
    chance = random.Random(800)
    tally = Tally()
    with Load(watched, SHORT, clients=4, note=tally, keep=False):
        while tally.count < GETS:
            pid = chance.choice(watched.worker_pids())
            asked = tally.count
            os.kill(pid, signal.SIGKILL)
            watched.wait(lambda: replaced(watched, pid), 2, "the worker's successor")
            watched.wait(lambda: tally.count > asked + 10, what="answers")
    assert tally.lost == []


SPOILT = "[cache]\nno_such_option = 1\n"
COMPLAINT = "tft.conf:2: no option of this name"


def test_a_worker_that_cannot_start_is_tried_again_for_ever_and_the_others_serve(tmp_path):
    """The configuration is damaged while they run: they keep what they have read. One that dies is restarted once a
    second."""
    config, script = tmp_path / "tft.conf", tmp_path / "tft-dashboard"
    config.write_text("[log]\nlevel = info\n")
    script.write_text(f'#!/bin/sh\nexec {BUILD / "tft-dashboard"} -c {config}\n')
    script.chmod(0o755)

    class Configured(Stack):
        def program(self):
            return script

    with Configured(workers=4, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        first = stack.worker_pids()[0]
        with Load(stack, ("/", "/heatmap?profile=db"), clients=2) as load:
            config.write_text(SPOILT)
            began = time.monotonic()
            os.kill(first, signal.SIGTERM)
            stack.wait(lambda: stack.logs().count(COMPLAINT) >= 3, what="three attempts")
            assert time.monotonic() - began > 2, "one a second"
            check = subprocess.run([BUILD / "tft-dashboard", "-t", "-c", config], capture_output=True, text=True)
            assert check.returncode == 78 and check.stderr.count("\n") == 1 and COMPLAINT in check.stderr
            config.write_text("")
            stack.wait(lambda: replaced(stack, first), what="the successor, once it can start")
        assert load.lost() == []


def test_all_workers_killed_at_once_are_waited_for(watched):
    with Load(watched, SHORT, clients=4) as load:
        pids = watched.worker_pids()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        watched.wait(lambda: replaced(watched, *pids), 3, "new workers")
        asked = len(load.seen)
        watched.wait(lambda: len(load.seen) > asked + 10, what="answers")
    # Four at once: a request that meets two of them in turn gets a 503 with Retry-After.
    assert {seen.status for seen in load.lost()} <= {502}
    assert len(load.lost()) <= 4


# Descriptors

def test_worker_without_descriptors_lives_and_recovers(single):
    (pid,) = single.worker_pids()
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    with connect(single) as peer:
        peer.sendall(encode(PARAMETERS))
        single.wait(lambda: "ev=accept_fail" in single.logs(), 5, "a word in the log")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        assert read_answer(peer).status == 200
    assert single.worker_pids() == [pid]


# Kept connections

def test_connection_is_kept_if_the_peer_asks_for_it(single):
    with Connection(fcgi_socket(single)) as kept:
        for _ in range(3):
            answer = kept.ask(PARAMETERS)
            assert (answer.status, answer.complete) == (200, True)
        assert kept.ask(PARAMETERS, flags=0).status == 200
        assert kept.ended()


def test_request_of_many_reads_leaves_nothing_for_the_next_one(single):
    """libfcgi reads 8 KB at a time: it has not seen the end of some of these when it knows all parameters."""
    with Connection(fcgi_socket(single), timeout=3) as kept:
        for size in (*range(7700, 8200), 20_000, 60_000):
            assert kept.ask({**PARAMETERS, "DOCUMENT_URI": "/healthz", "X": "x" * size}).status == 200, size
        assert kept.ask({**PARAMETERS, "DOCUMENT_URI": "/heatmap"}).body.count(b"<title>") == 1


def test_request_is_read_to_its_end_before_it_is_answered(single):
    """The next request may arrive with the answer, and must not be read together with the end of this one."""
    with Connection(fcgi_socket(single), timeout=3) as kept:
        whole = encode(PARAMETERS, flags=KEEP)
        kept.sock.sendall(whole[:-1])
        readable, _, _ = select.select([kept.sock], [], [], 0.3)
        assert readable == []
        kept.sock.sendall(whole[-1:])
        assert read_answer(kept.sock).status == 200
        assert kept.ask(PARAMETERS).status == 200


def test_body_that_nobody_reads_ends_the_connection(single):
    with Connection(fcgi_socket(single), timeout=3) as kept:
        assert kept.ask(PARAMETERS, body=b"of a GET").status == 200
        assert kept.ended()


def test_who_fetches_keeps_no_connection(single):
    """A request on it would wait for the upstream."""
    predictions = single.upstream.predictions
    with Connection(fcgi_socket(single), timeout=3) as kept:
        assert kept.ask(PARAMETERS).status == 200
        predictions.hold()
        try:
            single.redis.set("tft:epoch:fleet", "flushed")
            assert request(fcgi_socket(single), PARAMETERS).status == 200
            assert predictions.arrived.wait(5)
            assert kept.ended()
        finally:
            predictions.release()


def test_who_acts_keeps_no_connection(single):
    with Connection(fcgi_socket(single), timeout=3) as kept:
        assert kept.ask(PARAMETERS).status == 200
        assert request(fcgi_socket(single), ACTION).status == 403
        assert kept.ended()


def test_more_connections_than_a_worker_keeps(single):
    with contextlib.ExitStack() as stay:
        many = [stay.enter_context(Connection(fcgi_socket(single), timeout=3)) for _ in range(134)]
        assert {kept.ask(PARAMETERS).status for kept in many} == {200}
        assert all(kept.ended() for kept in many[:6]), "the idle ones make room"
        assert {kept.ask(PARAMETERS).status for kept in many[6:]} == {200}


def test_kept_connections_delay_no_end(single):
    with Connection(fcgi_socket(single)) as kept:
        assert kept.ask(PARAMETERS).status == 200
        assert terminate(single) < STOP_LIMIT
        assert kept.ended()


def sockets(pid):
    """The open sockets, by their names. The process may close one while they are listed."""
    names = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.add(os.readlink(entry))
    return {name for name in names if "socket:" in name}


def test_nginx_keeps_its_connections(single):
    (pid,) = single.worker_pids()
    assert request(fcgi_socket(single), ACTION).status == 403
    before = sockets(pid)
    assert ask(single).status == 200
    kept = sockets(pid) - before
    assert kept and all(ask(single).status == 200 for _ in range(20))
    assert kept <= sockets(pid)


# Requests that arrive together

SEVERAL = (
    ({}, 200, b" - Overview - "),
    ({"DOCUMENT_URI": "/heatmap"}, 200, b" - Heatmap - "),
    ({"DOCUMENT_URI": "/no-such-page"}, 404, b"Not found"),
    ({"REQUEST_METHOD": "HEAD"}, 200, b""),
    ({"DOCUMENT_URI": "/heatmap", "QUERY_STRING": "profile=db"}, 200, b" - Heatmap - "),
    ({"TFT_AE": "gzip"}, 200, b"\x1f\x8b"),
    ({"DOCUMENT_URI": "/api/v1/fleet"}, 200, b'{"bucket":'),
    ({"DOCUMENT_URI": "/cost", "QUERY_STRING": "avg_hours=x"}, 400, b"Bad request"),
)


def kept_connections(stack, stay, count):
    """That many, while the only worker is stopped; None if it has just closed them, as it does before it calls the upstream."""
    (pid,) = stack.worker_pids()
    kept = [stay.enter_context(Connection(fcgi_socket(stack), timeout=20)) for _ in range(count)]
    assert {one.ask({**PARAMETERS, "DOCUMENT_URI": "/healthz"}).status for one in kept} == {200}
    stack.pause(pid)
    if not select.select([one.sock for one in kept], [], [], 0)[0]:
        return kept
    stack.resume(pid)
    return None


@contextlib.contextmanager
def together(stack, requests):
    """Kept connections on which these requests arrived while the only worker was stopped."""
    (pid,) = stack.worker_pids()
    with contextlib.ExitStack() as stay:
        kept = stack.wait(lambda: kept_connections(stack, stay, len(requests)), what="a worker at rest")
        for one, parameters in zip(kept, requests):
            one.sock.sendall(encode({**PARAMETERS, **parameters}, flags=KEEP))
        yield [one.sock for one in kept], lambda: stack.resume(pid)


def reads_of_hashes(stack):
    return stack.redis.info("commandstats")["cmdstat_hmget"]["calls"]


def test_each_of_several_requests_gets_its_own_answer(single):
    with together(single, [parameters for parameters, _, _ in SEVERAL]) as (peers, go_on):
        go_on()
        for peer, (parameters, status, begin) in zip(peers, SEVERAL):
            answer = read_answer(peer)
            assert (answer.status, answer.complete) == (status, True), parameters
            assert begin in answer.body, parameters
            assert answer.body == b"" or len(answer.body) == int(answer.headers["content-length"])


def test_several_readers_cost_one_round_trip(single):
    """Pointer, breaker, the small groups and the entry: four reads of hashes for all of them."""
    assert request(fcgi_socket(single), PARAMETERS).status == 200
    with together(single, [{}] * 8) as (peers, go_on):
        before = reads_of_hashes(single)
        go_on()
        assert len({read_answer(peer).body for peer in peers}) == 1
    assert reads_of_hashes(single) - before == 4


def test_readers_of_the_next_moment_see_what_is_new(single):
    """What was read for the previous requests is not used again."""
    with together(single, [{}] * 4) as (peers, go_on):
        go_on()
        assert {read_answer(peer).headers["cache-status"].partition("; ttl")[0] for peer in peers} == {"tft-redis; hit"}
        single.redis.hset("tft:brk:fleet", mapping={"code": "timed-out", "since": "1", "open_until": "1"})
        peers[0].sendall(encode(PARAMETERS, flags=KEEP))
        assert b"timed out" in read_answer(peers[0]).body


def test_several_that_find_old_data_cost_one_call_and_wait_for_nothing(single):
    predictions = single.upstream.predictions
    before = predictions.count
    predictions.hold()
    try:
        with together(single, [{}] * 8) as (peers, go_on):
            single.redis.set("tft:epoch:fleet", "flushed")
            go_on()
            details = [read_answer(peer).headers["cache-status"].rpartition("detail=")[2] for peer in peers]
            assert predictions.arrived.wait(5)
    finally:
        predictions.release()
    assert sorted(details) == ["FLUSHED"] * 7 + ["REFRESH"]
    single.wait(lambda: not single.redis.exists("tft:lock:fleet"), what="the commit")
    assert predictions.count == before + 1


def test_readers_do_not_wait_for_an_action_that_came_with_them(single):
    """It may ask the upstream before it answers."""
    with together(single, [ACTION, {}, {}]) as ((action, *readers), go_on):
        go_on()
        assert [read_answer(peer).status for peer in readers] == [200, 200]
        assert read_answer(action).status == 403


# Peers

def test_silent_connection_holds_a_worker_for_a_moment_only(single):
    with connect(single):
        assert request(fcgi_socket(single), PARAMETERS, timeout=2).status == 200


def test_half_a_request_holds_a_worker_for_seconds_only(single):
    half = [
        record(BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0"),
        record(BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0") + record(PARAMS, pairs(PARAMETERS)[:30]),
    ]
    for bytes_sent in half:
        with connect(single) as peer:
            peer.sendall(bytes_sent)
            assert request(fcgi_socket(single), PARAMETERS, timeout=8).status == 200
    with connect(single) as peer:
        peer.sendall(half[0])
        assert terminate(single) < 8


def test_many_halves_of_requests_make_nobody_wait(single):
    """One worker; each of them once occupied it for 5 s."""
    bytes_sent = record(BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0") + record(PARAMS, pairs(PARAMETERS)[:30])
    with contextlib.ExitStack() as stay:
        peers = [stay.enter_context(connect(single)) for _ in range(40)]
        for peer in peers:
            peer.sendall(bytes_sent)
        began = time.monotonic()
        for _ in range(10):
            assert request(fcgi_socket(single), PARAMETERS, timeout=8).status == 200
        assert time.monotonic() - began < 3
        # The rest of one arrives at last, in two pieces.
        rest = record(PARAMS, pairs(PARAMETERS)[30:]) + record(PARAMS, b"") + record(STDIN, b"")
        for piece in (rest[:11], rest[11:]):
            peers[-1].sendall(piece)
        assert read_answer(peers[-1]).status == 200
        # The others end, whether or not there are other requests.
        peers[0].settimeout(8)
        with contextlib.suppress(ConnectionResetError):
            assert peers[0].recv(1) == b""


@pytest.mark.parametrize("params", [
    b"\xff\xff\xff\xff" * 2, b"\xff\xff\xff\xff\x01a", b"\x01\xff\xff\xff\xffa", b"\x80\x00\x00\x05\x00abcd", b"\x80", b"\x01",
])  # fmt: skip
def test_a_length_beyond_the_parameters_ends_the_connection_alone(single, params):
    """libfcgi would allocate that much memory and abort."""
    pids = single.worker_pids()
    for pieces in ([params], [params[:3], params[3:]]):
        with connect(single) as peer:
            peer.sendall(record(BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0") + b"".join(record(PARAMS, piece) for piece in pieces if piece))
            with contextlib.suppress(BrokenPipeError):
                peer.sendall(record(PARAMS, b"") + record(STDIN, b""))
            with contextlib.suppress(ConnectionResetError):
                assert peer.recv(1) == b""
    assert request(fcgi_socket(single), PARAMETERS, timeout=8).status == 200
    assert single.worker_pids() == pids


def test_a_request_that_is_none_ends_the_connection_alone(single):
    """Other versions, roles, types and ids, and more than any request of nginx."""
    pids = single.worker_pids()
    begin = record(BEGIN_REQUEST, b"\0\1\0\0\0\0\0\0")
    big = begin + record(PARAMS, b"\x01\x00a" * 20000) * 2
    for data in (b"\2" + begin[1:], begin[:9] + b"\2" + begin[10:], begin + record(9, b""), begin[:3] + b"\0" + begin[4:], b"GET / HTTP/1.1\r\n\r\n", big):
        with connect(single) as peer, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            assert peer.recv(1) == b""
    assert request(fcgi_socket(single), PARAMETERS, timeout=8).status == 200
    assert single.worker_pids() == pids
