# SPDX-License-Identifier: MIT
"""Clients that send requests all the time, and what they saw.

    with Load(stack, paths=("/", "/heatmap"), clients=4) as load:
        ...something terrible...
    assert load.lost() == []
"""
import itertools
import socket
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    host: int
    path: str
    began: float  # time.monotonic()
    ended: float
    status: int  # 0: no complete answer
    headers: dict  # lower-case names
    body: bytes
    error: str = ""
    method: str = "GET"

    @property
    def took(self):
        return self.ended - self.began

    @property
    def cache(self):
        """The worker's member of Cache-Status, without that of nginx."""
        return next((part for part in self.headers.get("cache-status", "").split(", ") if part.startswith("tft-")), "")

    @property
    def worker_ms(self):
        """The time that the worker reports for the request; None if it reports none."""
        parts = (part.partition(";dur=") for part in self.headers.get("server-timing", "").split(", "))
        spent = [float(value) for name, _, value in parts if name in ("redis", "render")]
        return sum(spent) if spent else None

    def __repr__(self):
        return f"<{self.status} {self.path} host {self.host} {self.took * 1000:.0f} ms {self.cache} {self.error}>"


def exchange(address, source, request, timeout):
    """Everything that arrives until the server closes, including bytes beyond the announced length."""
    with socket.create_connection(address, timeout, source_address=(source, 0)) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(1 << 18), b""))


def parse(answer):
    """(status, headers, body) of a complete answer that is not chunked."""
    head, found, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not found or not lines[0].startswith("HTTP/1.1 "):
        raise ValueError(f"{len(answer)} bytes without a head")
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return int(lines[0].split()[1]), fields, body


def ask(stack, path="/", host=0, timeout=20, method="GET", form=None, headers=(), source="127.0.0.1"):
    """Sends one request on its own connection, with an encoded form if there is one."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"]
    request = "\r\n".join([*lines, "", form or ""]).encode()
    began = time.monotonic()
    status, fields, body, error = 0, {}, b"", ""
    try:
        status, fields, body = parse(exchange(("127.0.0.1", stack.hosts[host].port), source, request, timeout))
        announced = int(fields.get("content-length", 0))
        if method != "HEAD" and status != 304 and len(body) < announced:
            status, error = 0, f"{len(body)} of {announced} bytes"
    except (OSError, ValueError) as failure:
        error = repr(failure)
    return Seen(host, path, began, time.monotonic(), status, fields, body, error, method)


def ask_at_once(stack, asks):
    """Requests all (path, host) at the same moment; the answers are in the same order."""
    barrier = threading.Barrier(len(asks))
    answers = [None] * len(asks)

    def one(index, path, host):
        barrier.wait()
        answers[index] = ask(stack, path, host)

    threads = [threading.Thread(target=one, args=(i, *what)) for i, what in enumerate(asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


class Load:
    """note    also receives each answer
    keep    False: `seen` stays empty, because a long run does not fit in memory
    pause   seconds between an answer and the next request of the same client; the clients begin at different moments of it
    apart   each client has its own address, because nginx limits the requests from one address
    """

    def __init__(self, stack, paths=("/",), clients=4, hosts=(0,), note=None, keep=True, pause=0, apart=False):
        self.stack = stack
        self.seen = []
        self.notes = ([note] if note else []) + ([self.seen.append] if keep else [])
        self.pause = pause
        self.stop = threading.Event()
        places = list(itertools.product(paths, hosts))
        self.threads = []
        for i in range(clients):
            turn = itertools.islice(itertools.cycle(places), i, None)
            source = f"127.0.{1 + i // 250}.{1 + i % 250}" if apart else "127.0.0.1"
            self.threads.append(threading.Thread(target=self.run, args=(turn, source, pause * i / clients), daemon=True))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def run(self, turn, source, later):
        self.stop.wait(later)
        while not self.stop.is_set():
            path, host = next(turn)
            seen = ask(self.stack, path, host, source=source)
            for note in self.notes:
                note(seen)
            if self.pause:
                self.stop.wait(self.pause)

    def failed(self):
        return [seen for seen in self.seen if seen.status != 200]

    def lost(self):
        """Requests that no worker answered. On a busy machine Redis may miss a deadline: a worker's 503, which says so,
        is not lost."""
        return [seen for seen in self.failed() if seen.status != 503 or "x-tft-node" not in seen.headers]

    def slowest(self):
        return max(self.seen, key=lambda seen: seen.took)
