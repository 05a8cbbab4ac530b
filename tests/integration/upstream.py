# SPDX-License-Identifier: MIT
"""A fake upstream: inference daemon and metrics generator on two ports, for tests.

It replays recorded bodies, counts every call and misbehaves on request. It shares nothing with the dashboard or with
tft-demo-daemon, so that neither can hide a mistake of the other.

    with Upstream() as up:
        up.predictions.load("predictions_current-critical-20")
        up.predictions.hold()                    # requests block ...
        assert up.predictions.arrived.wait(5)    # ... one has come in ...
        up.predictions.release()                 # ... and gets its answer
        assert up.predictions.count == 1
"""
import functools
import gzip
import json
import os
import pathlib
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAYLOADS = pathlib.Path(__file__).resolve().parent.parent / "data" / "payloads"


@functools.lru_cache(maxsize=16)
def payload_bytes(name):
    """The recorded body of that name, as it was sent; the extension may be omitted."""
    for suffix in ("", ".json", ".json.gz", ".txt"):
        path = PAYLOADS / (name + suffix)
        if path.is_file():
            data = path.read_bytes()
            return gzip.decompress(data) if path.suffix == ".gz" else data
    raise FileNotFoundError(f"no recorded payload {name!r} in {PAYLOADS}")


# As the newest generator answers, with the two databases in which cascade begins.
CASCADE = (
    b'{"scenario":"cascade","affected_servers":["ppdb002","ppdb001"],"total_affected":2,"fleet_size":20,"tick_count":254}'
)


@dataclass(frozen=True)
class Call:
    endpoint: str
    method: str
    at: float  # time.monotonic() of arrival
    wall: float  # time.time() of arrival
    headers: dict  # names in lower case; list of values each
    body: bytes


class Endpoint:
    """The answer of one path. The attributes may be changed at any time and apply to the next request.

    status, body, content_type, headers   the answer; body is bytes, or a function that returns an iterable of bytes,
                                          sent chunk by chunk until the connection is closed (no Content-Length)
    delay    seconds before the first byte
    length   Content-Length to claim instead of the true one
    cut      close the connection after that many bytes of the body; -1: before the status line
    reset    close by RST instead of FIN when cut
    """

    def __init__(self, name, body):
        self.name = name
        self.calls = []
        self.arrived = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.default_body = body
        self.reset_controls()

    def reset_controls(self):
        self.status = 200
        self.body = self.default_body
        self.content_type = "application/json"
        self.headers = {}
        self.delay = 0.0
        self.length = None
        self.cut = None
        self.reset = False

    def load(self, name, status=200):
        """Answers with a recorded body."""
        self.body = payload_bytes(name)
        self.status = status
        if name.startswith("scenario_set-critical"):
            self.content_type = "text/plain; charset=utf-8"

    def fail(self, status=500):
        """Answers like the real daemons after an unhandled exception."""
        self.status = status
        self.content_type = "text/plain; charset=utf-8"
        self.body = b"Internal Server Error"

    def hold(self):
        self.arrived.clear()
        self.gate.clear()

    def release(self):
        self.gate.set()

    @property
    def count(self):
        return len(self.calls)


class Upstream:
    """predictions, warmup (GET /status), scenario_status, scenario_set: the four endpoints the dashboard may call.
    Everything else answers 404 and is counted in `strays`. `calls` has all calls in order of arrival.

    require_key   None, or the key that /predictions/current requires (403 with the recorded body)
    serial        while one prediction is computed, the inference daemon answers nothing else, as in reality
    scenario      state of the generator, one of its scenarios; an older generator has no cascade
    """

    def __init__(self, predictions="predictions_current-healthy-20", warmup="status-warmed_up-20"):
        self.predictions = Endpoint("/predictions/current", payload_bytes(predictions))
        self.warmup = Endpoint("/status", payload_bytes(warmup))
        self.scenario_status = Endpoint("/scenario/status", None)
        self.scenario_set = Endpoint("/scenario/set", None)
        self.calls = []
        self.strays = []
        self.require_key = None
        self.serial = False
        self.scenario = "healthy"
        self.scenarios = ("healthy", "degrading", "critical", "cascade")
        self.closing = threading.Event()
        self._busy = threading.Lock()
        self._record = threading.Lock()
        inference = {("GET", "/predictions/current"): self.predictions, ("GET", "/status"): self.warmup}
        generator = {
            ("GET", "/scenario/status"): self.scenario_status,
            ("POST", "/scenario/set"): self.scenario_set,
        }
        self._roles = [(inference, 0), (generator, 0)]
        self._servers = []
        self.listen()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # Ports

    def listen(self):
        """Opens both ports: new ones the first time, the same ones after unlisten()."""
        for index, (table, port) in enumerate(self._roles):
            server = _Server(("127.0.0.1", port), _handler(self, table))
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._roles[index] = (table, server.server_port)
            self._servers.append(server)

    def unlisten(self):
        """Closes both ports: connections are refused until listen()."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def close(self):
        self.closing.set()
        for endpoint in (self.predictions, self.warmup, self.scenario_status, self.scenario_set):
            endpoint.release()
        self.unlisten()

    @property
    def daemon_url(self):
        return f"http://127.0.0.1:{self._roles[0][1]}"

    @property
    def generator_url(self):
        return f"http://127.0.0.1:{self._roles[1][1]}"

    # Bodies

    def drip(self, data, size, gap):
        """A body function: `size` bytes of data every `gap` seconds."""

        def chunks():
            for start in range(0, len(data), size):
                yield data[start : start + size]
                if self.closing.wait(gap):
                    return

        return chunks

    # Called by the handler threads

    def record(self, endpoint, call):
        with self._record:
            self.calls.append(call)
            (endpoint.calls if endpoint else self.strays).append(call)

    def answer(self, endpoint, call):
        """(status, content type, body) of one call, after its gate and delay."""
        if endpoint is self.predictions and self.require_key is not None:
            if call.headers.get("x-api-key") != [self.require_key]:
                return 403, "application/json", payload_bytes("predictions_current-no_key-0")
        endpoint.arrived.set()
        endpoint.gate.wait()
        self.closing.wait(endpoint.delay)
        body = endpoint.body
        if body is None and endpoint is self.scenario_status:
            body = CASCADE if self.scenario == "cascade" else payload_bytes(f"scenario_status-{self.scenario}-20")
        if body is None and endpoint is self.scenario_set:
            return self._set_scenario(call.body)
        return endpoint.status, endpoint.content_type, body

    def _set_scenario(self, request):
        """Behaves as recorded: 200 for an unknown name, 500 for critical although the scenario is changed."""
        try:
            name = json.loads(request)["scenario"]
        except (ValueError, KeyError, TypeError):
            return 422, "application/json", payload_bytes("scenario_set-malformed_json-20")
        if name not in self.scenarios:
            text = {"status": "error", "message": f"Invalid scenario: {name}"}
            return 200, "application/json", json.dumps(text, separators=(",", ":")).encode()
        old, self.scenario = self.scenario, name
        if name == "critical":
            return 500, "text/plain; charset=utf-8", payload_bytes("scenario_set-critical_fresh-20")
        text = {
            "status": "success",
            "old_scenario": old,
            "new_scenario": name,
            "affected_servers": {"healthy": 0, "degrading": 4, "cascade": 2}[name],
            "tick_count": 189,
        }
        return 200, "application/json", json.dumps(text, separators=(",", ":")).encode()

    def turn(self, endpoint):
        """Context of one answer: with `serial` the inference daemon does one thing at a time."""
        serial = self.serial and endpoint in (self.predictions, self.warmup)
        return self._busy if serial else threading.Lock()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Many tests make clients disconnect on purpose."""


def _handler(upstream, table):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_GET(self):
            self.serve()

        do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

        def serve(self):
            endpoint = table.get((self.command, self.path))
            headers = {}
            for key, value in self.headers.items():
                headers.setdefault(key.lower(), []).append(value)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.path, self.command, time.monotonic(), time.time(), headers, body)
            upstream.record(endpoint, call)
            if endpoint is None:
                self.send(404, "application/json", payload_bytes("not_found-any-20"), Endpoint("", b""))
                return
            with upstream.turn(endpoint):
                self.send(*upstream.answer(endpoint, call), endpoint)

        def send(self, status, content_type, body, endpoint):
            if endpoint.cut == -1:
                self.hang_up(endpoint.reset)
                return
            self.send_response_only(status)
            self.send_header("content-type", content_type)
            for key, value in endpoint.headers.items():
                self.send_header(key, value)
            if isinstance(body, bytes):
                self.send_header("content-length", str(len(body) if endpoint.length is None else endpoint.length))
                chunks = [body[: endpoint.cut]]
            else:
                self.close_connection = True
                chunks = body()
            self.end_headers()
            for chunk in chunks:
                self.wfile.write(chunk)
            if endpoint.cut is not None or endpoint.length is not None:
                self.hang_up(endpoint.reset)

        def hang_up(self, reset):
            self.close_connection = True
            if reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())  # at once: the server would send FIN first
            else:
                self.connection.shutdown(socket.SHUT_WR)

    return Handler
