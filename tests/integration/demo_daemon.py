# SPDX-License-Identifier: MIT
"""The demo daemon alone, without nginx."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import time

import pytest

from fcgi_client import encode, request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAEMON = pathlib.Path(os.environ.get("TFT_BUILD") or ROOT).resolve() / "tft-demo-daemon"
PATIENCE = 120  # seconds: on idle processor time, the daemon may get none for a while


class Daemon:
    """One role on its own socket; it receives the descriptor as from spawn-fcgi."""

    def __init__(self, directory, role, *options, key=None):
        self.path = directory / f"{role}.sock"
        self.path.unlink(missing_ok=True)
        argv = [str(DAEMON), "--role", role, "--state", str(directory / "state"), *map(str, options)]
        env = {k: v for k, v in os.environ.items() if k != "TFT_API_KEY"}
        if key is not None:
            env["TFT_API_KEY"] = key
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen(64)
            self.process = subprocess.Popen(argv, stdin=listener, env=env)

    @staticmethod
    def params(method, uri, body=b"", key="", ip="127.0.0.1", content_type="application/json"):
        return {
            "REQUEST_METHOD": method,
            "DOCUMENT_URI": uri,
            "QUERY_STRING": "",
            "CONTENT_TYPE": content_type if body else "",
            "CONTENT_LENGTH": str(len(body)) if body else "",
            "REMOTE_ADDR": ip,
            "DEMO_KEY": key,
            "DEMO_END": "1",
        }

    def get(self, uri, **options):
        return request(self.path, self.params("GET", uri, **options))

    def post(self, uri, body, **options):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return request(self.path, self.params("POST", uri, body, **options), body)

    def set_scenario(self, name):
        return self.post("/scenario/set", {"scenario": name})

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE)


@pytest.fixture
def daemon(tmp_path):
    """daemon(role, *options, key=None) starts one; all daemons of a test share a state file."""
    running = []

    def start(role, *options, **extra):
        running.append(Daemon(tmp_path, role, *options, **extra))
        return running[-1]

    yield start
    codes = [d.process.returncode if d.process.poll() is not None else d.stop() for d in running]
    assert set(codes) <= {0, 78}


def sockets(process):
    """Its open sockets. It may close one while they are counted."""
    names = []
    for entry in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(entry))
    return [name for name in names if "socket:" in name]


def wait_sockets(process, count):
    """Waits until the process has this many open sockets: the listening one and its connections."""
    deadline = time.monotonic() + PATIENCE
    while len(sockets(process)) != count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def begin_inference(running):
    """A connection whose request the daemon has begun to process."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    wait_sockets(running.process, 1)
    sock.connect(str(running.path))
    sock.sendall(encode(running.params("GET", "/predictions/current")))
    wait_sockets(running.process, 2)
    return sock
