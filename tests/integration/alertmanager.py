# SPDX-License-Identifier: MIT
"""Debian's Alertmanager with a receiver, and a gate in front of it that counts what the dashboard posts.

    with Alertmanager() as alertmanager:
        env = {"TFT_ALERTMANAGER": alertmanager.gate.url}
        ...
        alertmanager.received("firing", "TftServerRisk")
"""
import contextlib
import http.client
import json
import pathlib
import shutil
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from stack import Service, free_port, wait_until

# Without delay and without grouping: each alert is a notification of its own.
CONFIG = """
route: {{receiver: test, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: test, webhook_configs: [{{url: "{url}", send_resolved: true}}]}}]
"""


# Of a gate without an Alertmanager.
ANSWERS = {"/api/v2/status": json.dumps({"cluster": {"status": "disabled", "peers": []}, "versionInfo": {"version": "0.25.0"}}).encode()}


class Server:
    """Hands each request to take(handler, body) in a thread."""

    def __init__(self, take):
        class Handler(BaseHTTPRequestHandler):
            def do(self):
                take(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            do_GET = do_POST = do_DELETE = do

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def answer(handler, status, body=b"", kind=None):
    with contextlib.suppress(OSError):  # the dashboard may have given up
        handler.send_response(status)
        if kind:
            handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class Gate:
    """Passes requests on to the Alertmanager at `port` (None: answers them itself) and keeps the alerts of each POST.

    status   None, or what is answered instead
    answers  by path, what is answered to a GET instead; None: nothing
    asked    the paths of all GETs
    opened   an event; while it is not set, requests hang
    """

    def __init__(self, port=None):
        self.port, self.status, self.posts, self.headers = port, None, [], []
        self.answers, self.asked = {} if port else dict(ANSWERS), []
        self.closed, self.opened = threading.Event(), threading.Event()
        self.opened.set()
        self.server = Server(self.take)
        self.url = self.server.url

    def take(self, handler, body):
        if handler.command == "POST" and handler.path == "/api/v2/alerts":
            self.headers.append(dict(handler.headers))
            self.posts.append(json.loads(body))
        path = handler.path.partition("?")[0]
        if handler.command == "GET":
            self.asked.append(path)
        if not self.opened.wait(30) or self.status:
            answer(handler, self.status or 500)
        elif handler.command == "GET" and path in self.answers:
            if self.answers[path] is None:
                self.closed.wait(30)
            answer(handler, 200, self.answers[path] or b"", "application/json")
        elif self.port is None:
            answer(handler, 200, b"[]", "application/json")
        else:
            self.forward(handler, body)

    def forward(self, handler, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(handler.command, handler.path, body, {"Content-Type": "application/json"})
            got = connection.getresponse()
            answer(handler, got.status, got.read(), got.getheader("Content-Type"))
        except OSError:
            answer(handler, 502)
        finally:
            connection.close()

    def last(self, name):
        """The alerts of that name in the last POST."""
        return [alert for alert in self.posts[-1] if alert["labels"]["alertname"] == name] if self.posts else []

    def close(self):
        self.closed.set()
        self.opened.set()
        self.server.close()


class Alertmanager:
    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tft-", dir="/tmp"))
        self.port, self.notices, self.service = free_port(), [], None
        self.receiver = Server(self.take_notice)
        self.gate = Gate(self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        (self.dir / "alertmanager.yml").write_text(CONFIG.format(url=self.receiver.url))
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        self.gate.close()
        self.receiver.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        argv = ["prometheus-alertmanager", f"--config.file={self.dir}/alertmanager.yml", f"--storage.path={self.dir}/data"]
        argv += [f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="]
        self.service = Service("alertmanager", argv, self.dir / "log")
        wait_until(self.is_ready, 30, "Alertmanager answers")

    def is_ready(self):
        assert self.service.process.poll() is None, (self.dir / "log").read_text()
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(self.url + "/-/ready", timeout=5).status_code == 200

    def stop(self):
        if self.service:
            self.service.stop()
            self.service = None

    def take_notice(self, handler, body):
        self.notices.extend(json.loads(body)["alerts"])
        answer(handler, 200)

    def silence(self, matchers, comment="disk swap", hours=1):
        """Creates one by ann; its id."""
        now = datetime.now(timezone.utc)
        silence = {"createdBy": "ann", "comment": comment, "matchers": [{"isRegex": False, "isEqual": True, **m} for m in matchers]}
        silence |= {"startsAt": now.isoformat(), "endsAt": (now + timedelta(hours=hours)).isoformat()}
        return requests.post(self.url + "/api/v2/silences", json=silence, timeout=10).json()["silenceID"]

    def unsilence(self, silence):
        assert requests.delete(f"{self.url}/api/v2/silence/{silence}", timeout=10).status_code == 200

    def received(self, status, name, **labels):
        """Notifications of alerts with these labels, in order."""
        wanted = {"alertname": name, **labels}.items()
        return [notice for notice in list(self.notices) if notice["status"] == status and wanted <= notice["labels"].items()]
