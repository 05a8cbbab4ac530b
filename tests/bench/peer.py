# SPDX-License-Identifier: MIT
"""The dashboard's peers (peers/), started beside it on the same Redis and, where they ask it, the same upstream.

    with Peers(rig) as peers:
        peers.load(page)               the bytes that all of them serve from now on
        peers.urls[STATIC]
"""
import os
import pathlib
import shutil
import tempfile

import requests

from rig import HERE, WORKERS
from stack import Service, free_port, wait_until

STATIC, SENDFILE, CACHE = "static file", "static file, sendfile", "fastcgi_cache"
LUA, LUA_UNLOGGED, FLASK = "nginx + Lua + Redis", "nginx + Lua + Redis, no log", "Flask + Redis"
ORDER = (STATIC, SENDFILE, CACHE, LUA, LUA_UNLOGGED, FLASK)


class Peers:
    def __init__(self, rig, host=0):
        self.rig = rig
        self.socket = rig.hosts[host].dir / "fcgi.sock"
        self.copy = 0

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="peer-", dir="/tmp"))
        self.port = free_port(len(ORDER))
        self.services = []
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        (self.dir / "static").mkdir()
        self.dir.chmod(0o755)
        self.render()
        config = self.dir / "nginx.conf"
        log = self.dir / "nginx.log"
        self.services.append(Service("peer nginx", ["nginx", "-e", log, "-p", self.dir, "-c", config], log))
        env = {
            **os.environ,
            "PEER_REDIS": str(self.rig.redis_socket),
            "PEER_UPSTREAM": self.rig.upstream.daemon_url,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv = ["/usr/bin/gunicorn", "-w", str(WORKERS), "-b", f"unix:{self.dir / 'flask.sock'}", "-t", "300"]
        argv += ["--preload", "--chdir", HERE / "peers", "flask_app:app"]
        self.services.append(Service("gunicorn", argv, self.dir / "flask.log", env))
        self.load(b"?")
        for name in ORDER:
            wait_until(lambda url=self.urls[name]: self.status(url) == 200, 60, name)

    def render(self):
        values = {
            "DIR": self.dir,
            "USER": "user root;" if os.geteuid() == 0 else "",
            "PEERS": HERE / "peers",
            "SOCKET": self.socket,
            "REDIS_SOCKET": self.rig.redis_socket,
            **{f"PORT{i}": self.port + i for i in range(len(ORDER))},
        }
        lines = (HERE / "peers" / "nginx.conf.in").read_text().splitlines()
        text = "\n".join(line for line in lines if not line.lstrip().startswith("#")) + "\n"
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        (self.dir / "nginx.conf").write_text(text)

    def stop(self):
        for service in reversed(self.services):
            service.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def status(url):
        try:
            return requests.get(url, timeout=5).status_code
        except (requests.ConnectionError, requests.Timeout):
            return 0

    def load(self, page):
        """Uses a new name each time, because nginx keeps the file open and its cache keeps the copy."""
        self.copy += 1
        (self.dir / "static" / str(self.copy)).write_bytes(page)
        self.rig.redis.set("bench:page", page)

    @property
    def urls(self):
        """The paths of a file and of fastcgi_cache change with each copy."""
        copies = (STATIC, SENDFILE, CACHE)
        return {name: f"http://127.0.0.1:{self.port_of(name)}/{self.copy if name in copies else ''}" for name in ORDER}

    def port_of(self, name):
        return self.port + ORDER.index(name)
