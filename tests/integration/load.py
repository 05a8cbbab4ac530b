# SPDX-License-Identifier: MIT
"""Clients that ask all the time, and what they saw.

    with Load(stack, paths=("/", "/heatmap"), clients=4) as load:
        ...something terrible...
    assert load.lost() == []
"""
import http.client
import itertools
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    host: int
    path: str
    began: float  # time.monotonic()
    ended: float
    status: int  # 0: no whole answer
    headers: dict  # lower-case names
    body: bytes
    error: str = ""

    @property
    def took(self):
        return self.ended - self.began

    @property
    def cache(self):
        """The worker's member of Cache-Status, without nginx'."""
        return next((part for part in self.headers.get("cache-status", "").split(", ") if part.startswith("tft-")), "")

    def __repr__(self):
        return f"<{self.status} {self.path} host {self.host} {self.took * 1000:.0f} ms {self.cache} {self.error}>"


def ask(stack, path="/", host=0, timeout=20):
    """One GET on a connection of its own."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", stack.hosts[host].port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        fields = {}
        for name, value in answer.getheaders():
            name = name.lower()
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return Seen(host, path, began, time.monotonic(), answer.status, fields, body)
    except (OSError, http.client.HTTPException) as error:
        return Seen(host, path, began, time.monotonic(), 0, {}, b"", repr(error))
    finally:
        connection.close()


def ask_at_once(stack, asks):
    """All (path, host) at the same moment; the answers in the same order."""
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
    def __init__(self, stack, paths=("/",), clients=4, hosts=(0,)):
        self.stack = stack
        self.seen = []
        self.stop = threading.Event()
        places = list(itertools.product(paths, hosts))
        turns = (itertools.islice(itertools.cycle(places), i, None) for i in range(clients))
        self.threads = [threading.Thread(target=self.run, args=(turn,), daemon=True) for turn in turns]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def run(self, turn):
        while not self.stop.is_set():
            path, host = next(turn)
            self.seen.append(ask(self.stack, path, host))

    def failed(self):
        return [seen for seen in self.seen if seen.status != 200]

    def lost(self):
        """Not answered by a worker. A busy machine may make Redis miss its deadline; that is told by a worker's 503."""
        return [seen for seen in self.failed() if seen.status != 503 or "x-tft-node" not in seen.headers]

    def slowest(self):
        return max(self.seen, key=lambda seen: seen.took)
