# SPDX-License-Identifier: MIT
"""How long one viewer waits: for the first page with its assets, and for another tab, layer by layer."""
import gzip
import http.client
import re
import time
from dataclasses import dataclass

from peer import FLASK, Peers
from rig import DEVELOPMENT, NO_L1, PRODUCTION, Rig
from table import figure, markdown, median

UPSTREAM = 0.5
TABS = ("/", "/heatmap", "/top", "/history", "/cost", "/remediation", "/alerting")
ASSET = re.compile(rb'(?:href|src)="(/?static/[^"]+\.(?:css|js))"')


@dataclass
class Load:
    first: float  # ms until the first byte
    whole: float  # ms until the last, with all retries and assets
    size: int  # bytes of bodies


class Browser:
    """One connection, a cache of assets and pages. Times include connecting if the connection is new."""

    def __init__(self, port):
        self.port = port
        self.connection = None
        self.tags = {}
        self.assets = set()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.connection:
            self.connection.close()

    def ask(self, path, headers=()):
        """(status, headers, body, time of the first byte)"""
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.connection.request("GET", path, headers={"Accept-Encoding": "gzip", **dict(headers)})
        answer = self.connection.getresponse()
        first = time.perf_counter()
        return answer.status, answer.headers, answer.read(), first

    def load(self, path):
        """A page and the assets that this browser does not have yet. Requests a page without data again every 10 ms, so
        that the time is that of the data and not of the page's own reload."""
        began = time.perf_counter()
        status, headers, body, first = self.ask(path, self.condition(path))
        size = len(body)
        while status == 503:
            time.sleep(0.01)
            status, headers, body, _ = self.ask(path, self.condition(path))
            size += len(body)
        if status not in (200, 304):
            raise AssertionError(f"{path}: {status}")
        self.tags[path] = headers["ETag"]
        for asset in self.missing_assets(headers, body):
            _, headers, body, _ = self.ask(asset)
            size += len(body)
            if "no-store" not in headers["Cache-Control"]:
                self.assets.add(asset)
        return Load((first - began) * 1e3, (time.perf_counter() - began) * 1e3, size)

    def condition(self, path):
        return {"If-None-Match": self.tags[path]} if self.tags.get(path) else {}

    def missing_assets(self, headers, body):
        text = gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body
        names = ["/" + name.decode().lstrip("/") for name in ASSET.findall(text)]
        return [name for name in names if name not in self.assets]


class Layers:
    """Each method removes the layers above its own and returns the port to request."""

    def __init__(self, rig, peers):
        self.rig = rig
        self.peers = peers

    def keep_only(self, keep):
        """Deletes the whole cache except the keys whose second part is to be kept."""
        gone = [key for key in self.rig.redis.keys("tft:*") if key.split(b":")[1].decode() not in keep]
        if gone:
            self.rig.redis.delete(*gone)

    def flask(self, path):
        return self.peers.port_of(FLASK)

    def empty(self, path):
        self.keep_only(())
        return self.rig.hosts[1].port

    def snapshot(self, path):
        self.keep_only(("fleet", "series", "cur", "epoch", "status", "scenario"))
        return self.rig.hosts[1].port

    def stored(self, path):
        return self.rig.hosts[1].port

    def l1(self, path):
        """Somebody else has requested it within this second."""
        with Browser(self.rig.hosts[0].port) as other:
            other.load(path)
        return self.rig.hosts[0].port

    def development(self, path):
        return self.rig.hosts[2].port

    def refill(self):
        """Restores everything that a refresh leaves."""
        self.keep_only(())
        with Browser(self.rig.hosts[1].port) as other:
            other.load("/")


LAYERS = (
    ("Flask, each page asks the upstream", Layers.flask),
    ("dashboard, cache emptied before each load", Layers.empty),
    ("+ Redis, pages rendered from the snapshot", Layers.snapshot),
    ("+ pages compiled in advance", Layers.stored),
    ("+ L1: production", Layers.l1),
    ("development (`start_all.sh --dev`)", Layers.development),
)


def visit(layers, method, calls, paths):
    """(first load, loads of other tabs, loads of the same tabs again, upstream calls of all first loads)"""
    layers.refill()
    before = calls()
    where = "/uncached{}" if method is Layers.flask else "{}"
    with Browser(method(layers, paths[0])) as browser:
        first = browser.load(where.format(paths[0]))
        tabs = []
        for path in paths[1:]:
            method(layers, path)
            tabs.append(browser.load(where.format(path)))
        asked = calls() - before
        again = []
        for path in paths[1:]:
            method(layers, path)
            again.append(browser.load(where.format(path)))
    return first, tabs, again, asked


def row(name, kind, loads, asked=""):
    columns = [figure([getattr(load, part) for load in loads], 1) for part in ("first", "whole")]
    return [name, kind, *columns, f"{median([load.size for load in loads]):,.0f}", asked]


def run(short):
    rounds = 1 if short else 3
    tabs = TABS[:2] if short else TABS
    delay = 0.1 if short else UPSTREAM
    found = {}
    with Rig(hosts=(PRODUCTION, NO_L1, DEVELOPMENT), interval=300, delay=delay) as rig:
        rig.wait_fleet()
        with Peers(rig, host=1) as peers:
            layers = Layers(rig, peers)
            for _ in range(rounds):
                for name, method in LAYERS:
                    visited = visit(layers, method, lambda: rig.upstream.predictions.count, tabs)
                    found.setdefault(name, []).append(visited)
    rows = []
    for name, visits in found.items():
        calls = f"{median([visited[3] for visited in visits]) / len(tabs):.1f}"
        rows.append(row(name, "first page and assets", [visited[0] for visited in visits], calls))
        rows.append(row("", "another tab", [load for visited in visits for load in visited[1]], calls))
        rows.append(row("", "a tab seen before", [load for visited in visits for load in visited[2]]))
    text = (
        f"90 servers, an upstream that takes {delay * 1000:.0f} ms, {len(tabs)} tabs, {rounds} rounds in turn. The "
        "dashboard never lets a viewer wait for the upstream: with an empty cache the first byte is that of the page "
        "that says so, and complete means that the data is there. A layer is taken away by deleting its keys, L1 by "
        "asking a second nginx without it. In development mode browsers do not keep assets, there is no L1, and "
        "workers log everything.\n\n"
    )
    header = ["layers", "load", "first byte, ms", "complete, ms", "bytes", "upstream calls per page"]
    return text + markdown(header, rows)
