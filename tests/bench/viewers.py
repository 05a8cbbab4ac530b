# SPDX-License-Identifier: MIT
"""Viewers, each with its own address and a kept connection, who send requests at given times.

As a program it reads a plan from standard input and writes the result to standard output, so that it does not slow down the
caller's interpreter. From Python:

    seen = watch([Viewer(port, [(0.0, "/"), (2.5, "/api/v1/status")]), ...])

A request that is due while the previous one is under way counts from the time when it was due.
"""
import asyncio
import json
import pathlib
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

LATE = 15.0  # seconds after which an answer counts as lost


@dataclass(frozen=True)
class Viewer:
    port: int
    plan: list  # (seconds from the start, path), ascending


@dataclass(frozen=True)
class Seen:
    viewer: int
    path: str
    wall: float  # when it should have been sent, time.time()
    first: float  # ms until the first byte
    whole: float  # ms until the last
    status: int  # 0: no whole answer


def watch(viewers):
    """Runs the viewers in a separate process and returns what they saw."""
    plan = json.dumps([asdict(viewer) for viewer in viewers])
    argv = ["/usr/bin/python3", pathlib.Path(__file__).resolve()]
    run = subprocess.run(argv, input=plan, capture_output=True, text=True, check=True)
    return [Seen(*fields) for fields in json.loads(run.stdout)]


def require_pages(seen, patient):
    """Every request was answered with 200, or with 503 if Redis missed its deadline on a busy machine."""
    good = (200, 503) if patient else (200,)
    lost = [s for s in seen if s.status not in good]
    if lost or not seen:
        raise AssertionError(f"{len(lost)} of {len(seen)} requests without a page, first {lost[:1]}")


class Connection(asyncio.Protocol):
    """Sends one request at a time; `answer` is completed with (time of the first byte, status)."""

    def __init__(self):
        self.answer = None
        self.buffer = b""
        self.open = True

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.open = False
        self.end(0)

    def ask(self, path):
        self.answer = asyncio.get_running_loop().create_future()
        self.first = None
        self.buffer = b""
        self.transport.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )
        return self.answer

    def end(self, status):
        if self.answer and not self.answer.done():
            self.answer.set_result((self.first, status))

    def data_received(self, data):
        self.first = self.first or time.perf_counter()
        self.buffer += data
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if len(body) >= int(fields[b"content-length"]):
            self.end(int(head.split(b" ", 2)[1]))


async def live(index, viewer, start, wall, seen):
    loop = asyncio.get_running_loop()
    # nginx limits requests per address, so no two viewers share one.
    address = f"127.1.{index // 250}.{index % 250 + 1}"
    connection = None
    for at, path in viewer["plan"]:
        await asyncio.sleep(start + at - time.perf_counter())
        if connection is None or not connection.open:
            _, connection = await loop.create_connection(
                Connection, "127.0.0.1", viewer["port"], local_addr=(address, 0)
            )
        try:
            first, status = await asyncio.wait_for(connection.ask(path), LATE)
        except asyncio.TimeoutError:
            connection.transport.abort()
            first, status = None, 0
        now = time.perf_counter()
        due = start + at
        seen.append((index, path, wall + at, ((first or now) - due) * 1e3, (now - due) * 1e3, status))
    if connection:
        connection.transport.abort()


async def main(viewers):
    seen = []
    start, wall = time.perf_counter() + 0.2, time.time() + 0.2
    await asyncio.gather(*(live(index, viewer, start, wall, seen) for index, viewer in enumerate(viewers)))
    return seen


if __name__ == "__main__":
    json.dump(asyncio.run(main(json.load(sys.stdin))), sys.stdout)
