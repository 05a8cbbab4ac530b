# SPDX-License-Identifier: MIT
"""Workers that end, are killed, run out of descriptors or are held up by a peer: nothing is lost, nobody waits for long."""
import fcntl
import itertools
import os
import random
import resource
import signal
import socket
import struct
import termios
import time

import pytest
from fcgi_client import BEGIN_REQUEST, END_REQUEST, PARAMS, STDOUT, encode, pairs, parse, record, records, request
from load import Load, ask
from stack import BUILD, Stack

PARAMETERS = {"REQUEST_METHOD": "GET", "DOCUMENT_URI": "/", "QUERY_STRING": "", "TFT_AE": "identity", "TFT_RID": "t", "TFT_END": "1"}
STOP_LIMIT = 1.0


@pytest.fixture
def single():
    """One worker that nobody starts again."""
    with Stack(workers=1, interval=300, l1=False, direct=True) as stack:
        stack.wait_fleet()
        yield stack


@pytest.fixture
def watched():
    """Four workers; who dies is started again."""
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
    """TERM to the only worker; seconds until it has ended well."""
    process = stack.hosts[0].workers[0].process
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    stack.wait(lambda: process.poll() is not None, 20, "the worker ends")
    assert process.returncode == 0
    return time.monotonic() - began


def rest_of_answer(peer):
    chunks, complete = [], False
    for kind, content in records(peer):
        chunks += [content] if kind == STDOUT else []
        complete |= kind == END_REQUEST
    return parse(b"".join(chunks), complete)


def unread(peer):
    """Bytes sent that the worker has not taken yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(peer, termios.TIOCOUTQ, b"\0" * 4))
    return count


# TERM

def test_term_ends_an_idle_worker(single):
    assert terminate(single) < STOP_LIMIT
    assert "ev=stop code=0" in single.logs()


def test_term_during_a_request_lets_it_finish(single):
    whole = encode(PARAMETERS)
    with connect(single) as peer:
        peer.sendall(whole[:40])
        process = single.hosts[0].workers[0].process
        single.wait(lambda: unread(peer) == 0, what="the worker has read it")
        process.send_signal(signal.SIGTERM)
        peer.sendall(whole[40:])
        answer = rest_of_answer(peer)
    assert (answer.status, answer.complete) == (200, True)
    assert len(answer.body) == int(answer.headers["content-length"])
    single.wait(lambda: process.poll() == 0, 2, "the worker ends")


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
    """A worker that always finds a connection never sleeps, and must see the signal all the same."""
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
    """Not only forked: until then it has the supervisor's ears, and a signal to it is lost."""
    try:
        return os.readlink(f"/proc/{pid}/exe") == str(BUILD / "tft-dashboard")
    except FileNotFoundError:
        return False


def replaced(stack, *gone):
    pids = stack.worker_pids()
    return len(pids) == stack.worker_count and not set(gone) & set(pids) and all(runs(pid) for pid in pids)


def test_rolling_restart_loses_nothing(watched):
    with Load(watched, ("/", "/heatmap?profile=db"), clients=4) as load:
        for pid in itertools.chain.from_iterable(watched.worker_pids() for _ in range(3)):
            os.kill(pid, signal.SIGTERM)
            watched.wait(lambda: replaced(watched, pid), 5, "the worker's successor")
    assert len(load.seen) > 100
    assert load.lost() == []


# Answers of one FastCGI record. One that is killed between two records of an answer leaves it cut: the viewer has to ask again.
SHORT = ("/heatmap?profile=db", "/healthz")


def test_killed_workers_lose_no_get(watched):
    chance = random.Random(800)
    with Load(watched, SHORT, clients=4) as load:
        for _ in range(20):
            pid = chance.choice(watched.worker_pids())
            asked = len(load.seen)
            os.kill(pid, signal.SIGKILL)
            watched.wait(lambda: replaced(watched, pid), 2, "the worker's successor")
            watched.wait(lambda: len(load.seen) > asked + 10, what="answers")
    assert load.lost() == []


def test_all_workers_killed_at_once_are_waited_for(watched):
    with Load(watched, SHORT, clients=4) as load:
        pids = watched.worker_pids()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        watched.wait(lambda: replaced(watched, *pids), 3, "new workers")
        asked = len(load.seen)
        watched.wait(lambda: len(load.seen) > asked + 10, what="answers")
    # Four at once: who was with two of them in turn is told to come again.
    assert {seen.status for seen in load.lost()} <= {502}
    assert len(load.lost()) <= 4


# Descriptors and peers

def test_worker_without_descriptors_lives_and_recovers(single):
    (pid,) = single.worker_pids()
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    with connect(single) as peer:
        peer.sendall(encode(PARAMETERS))
        single.wait(lambda: "ev=accept_fail" in single.logs(), 5, "a word in the log")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        assert rest_of_answer(peer).status == 200
    assert single.worker_pids() == [pid]


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
