# SPDX-License-Identifier: MIT
"""Instructions that nginx spends on a copy in L1 and on its other ways to serve the same bytes, and what each part of our
configuration costs. valgrind counts what nginx itself executes, the same on a busy machine; the kernel's part is not in it."""
import http.client
import pathlib
import re
import shutil
import subprocess
import tempfile

from peer import CACHE, SENDFILE, STATIC, Peers
from rig import Rig
from stack import Service, free_port, wait_until
from table import markdown
from throughput import fetch

L1 = "L1"
REQUESTS = 50  # so few that a copy, which lives for a second, outlives them
ATTEMPTS = 10
# Parts of nginx/tft-*.conf that a plain fastcgi_cache does without, and the lines that they consist of.
PARTS = {
    "limits for each client": r"limit_(req|conn) zone=.*|limit_conn tft_conn.*",
    "five headers that a copy must not repeat": r"fastcgi_hide_header Age;|add_header (Age|Cache-Control|Cache-Status|Server-Timing|X-Request-Id) .*",
    "If-Unmodified-Since as RFC 9110 has it": r"error_page 418 .*|if \(\$tft_unmodified\) \{\s*return 418;\s*\}",
    "only canonical addresses are stored": r"fastcgi_(cache_bypass|no_cache) \$tft_skip;",
}


class Counted:
    """An nginx under valgrind with the configuration of another one, whose directory and first port are replaced."""

    def __init__(self, source, port, edit=lambda text: text):
        self.source, self.port, self.edit = source, port, edit

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="count-", dir="/tmp"))
        self.dir.chmod(0o755)
        for name in ("log", "tmp", "l1", "out"):
            (self.dir / name).mkdir()
        for path in self.source.iterdir():
            if not (self.dir / path.name).exists():
                (self.dir / path.name).symlink_to(path)
        self.first = free_port(10)
        (self.dir / "counted").mkdir()
        place = self.source / "etc" if (self.source / "etc").exists() else self.source
        for path in place.glob("*.conf"):
            (self.dir / "counted" / path.name).write_text(self.adapted(path.read_text()))
        argv = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self.dir}/out/%p", shutil.which("nginx")]
        log = self.dir / "log" / "nginx.log"
        self.service = Service("nginx", argv + ["-e", log, "-p", self.dir, "-c", self.dir / "counted" / "nginx.conf"], log)
        return self

    def __exit__(self, *exc):
        self.service.stop()
        shutil.rmtree(self.dir)

    def adapted(self, text):
        text = self.edit(text).replace(f"{self.source}/etc/", f"{self.dir}/counted/").replace(str(self.source), str(self.dir))
        text = re.sub(r"worker_processes \d+;", "master_process off;", text)
        return re.sub(r"(listen \S+:)(\d+)", lambda found: f"{found[1]}{int(found[2]) - self.port + self.first}", text)

    def control(self, what):
        subprocess.run(["callgrind_control", what, str(self.service.pid)], check=True, capture_output=True)

    def instructions(self, port, path):
        """Of one request, without that of the first, which makes the copy."""
        connection = http.client.HTTPConnection("127.0.0.1", port - self.port + self.first, timeout=60)
        wait_until(lambda: self.answers(connection, path), 60, "nginx under valgrind")
        for _ in range(ATTEMPTS):
            self.answers(connection, path)
            self.control("--zero")
            if all([self.answers(connection, path) for _ in range(REQUESTS)]):
                self.control("--dump")
                dump = self.dir / "out" / f"{self.service.pid}.1"
                wait_until(dump.exists, 10, "the count")
                return int(re.search(r"^totals: (\d+)", dump.read_text(), re.M)[1]) // REQUESTS
        raise AssertionError(f"{path}: copies end too early")

    @staticmethod
    def answers(connection, path):
        """True if the answer did not need a worker."""
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            answer.read()
        except OSError:
            connection.close()
            return False
        said = answer.headers.get("Cache-Status", "").partition("nginx;")[2]
        return answer.status == 200 and said in ("", " hit")


def without(*patterns):
    return lambda text: re.sub("|".join(rf"^\s*(?:{pattern})$" for pattern in patterns), "", text, flags=re.M)


def run(short):
    with Rig(interval=300) as rig:
        rig.wait_fleet()
        host = rig.hosts[0]
        with Peers(rig) as peers:
            peers.load(fetch(rig.url("/")))
            rows = []
            for name in (STATIC, SENDFILE, CACHE):
                with Counted(peers.dir, peers.port) as nginx:
                    rows.append([name, nginx.instructions(peers.port_of(name), f"/{peers.copy}")])
            edits = {"L1": (), **{f"L1 without: {name}": (part,) for name, part in PARTS.items()}, "L1 without all of these": PARTS.values()}
            for name, parts in edits.items():
                with Counted(host.dir, host.port, without(*parts)) as nginx:
                    rows.append([name, nginx.instructions(host.port, "/")])
    return markdown(["served by nginx from", "instructions per request"], [[name, f"{count:,}"] for name, count in rows])
