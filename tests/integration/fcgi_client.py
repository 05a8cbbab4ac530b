# SPDX-License-Identifier: MIT
"""A FastCGI client for tests that connects to a worker's unix socket: one request per connection, or a kept Connection.

    answer = request("/run/x.sock", {"REQUEST_METHOD": "GET", ...})
    answer.status, answer.headers["content-type"], answer.body, answer.complete
"""
import json
import socket
import struct
from dataclasses import dataclass, field

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
RESPONDER = 1
KEEP = 1


@dataclass
class Answer:
    """What a worker sent. complete: END_REQUEST arrived; otherwise the answer is cut."""

    status: int = 0
    headers: dict = field(default_factory=dict)  # lower-case names
    body: bytes = b""
    complete: bool = False

    def json(self):
        return json.loads(self.body)


def record(kind, content):
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def stream(kind, data):
    """The records of one stream, ended by an empty record."""
    chunks = [data[i:i + 65535] for i in range(0, len(data), 65535)]
    return b"".join(record(kind, chunk) for chunk in chunks) + record(kind, b"")


def length(n):
    return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 0x80000000)


def pairs(params):
    out = b""
    for name, value in params.items():
        name, value = name.encode(), value.encode()
        out += length(len(name)) + length(len(value)) + name + value
    return out


def encode(params, body=b"", flags=0):
    """A whole request as bytes."""
    begin = record(BEGIN_REQUEST, struct.pack(">HB5x", RESPONDER, flags))
    return begin + stream(PARAMS, pairs(params)) + stream(STDIN, body)


def records(sock):
    """Yields (kind, content) until the peer closes."""
    with sock.makefile("rb") as reader:
        while len(head := reader.read(8)) == 8:
            _, kind, _, size, padding = struct.unpack(">BBHHBx", head)
            content = reader.read(size + padding)[:size]
            if len(content) < size:
                return
            yield kind, content


def parse(stdout, complete):
    """An answer in CGI form. Without a Status header the status is 200; without any bytes it is 0."""
    head, separator, body = stdout.partition(b"\r\n\r\n")
    if not separator:
        return Answer(complete=complete)
    headers = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    status = int(headers.pop("status", "200").split()[0])
    return Answer(status, headers, body, complete)


def read_answer(sock):
    chunks, complete = [], False
    for kind, content in records(sock):
        if kind == STDOUT:
            chunks.append(content)
        elif kind == END_REQUEST:
            complete = True
            break
    return parse(b"".join(chunks), complete)


class Connection:
    """A connection that is kept between requests, as nginx does."""

    def __init__(self, path, timeout=30):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    def ask(self, params, body=b"", flags=KEEP):
        self.sock.sendall(encode(params, body, flags))
        return read_answer(self.sock)

    def ended(self):
        """Waits until the worker sends something or closes the connection; True: it closed."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True


def request(path, params, body=b"", timeout=30):
    with Connection(path, timeout) as connection:
        return connection.ask(params, body, flags=0)
