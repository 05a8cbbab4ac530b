# SPDX-License-Identifier: MIT
"""How soon a viewer sees the numbers of a new bucket: the time since it began, less what the upstream took."""
import http.client
import threading
import time

from rig import PRODUCTION, Rig
from stack import wait_until
from table import GOAL_HEADER, goal, markdown, percentile
from tabs import Tabs

HOSTS = 3
INTERVAL = 5
UPSTREAM = 0.2
EVERY = 0.005  # seconds between two requests of a watcher

# Notes in the page when each bucket is shown.
NOTE = """
window.shown = {};
setInterval(() => {
  const view = document.getElementById('view');
  if (view && view.dataset.bucket) window.shown[view.dataset.bucket] ??= Date.now();
}, 5);
"""


class Watcher(threading.Thread):
    """Requests the overview of a host over and over, and notes when it first has the numbers of each bucket."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.first = {}
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(EVERY):
            self.connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
            answer = self.connection.getresponse()
            answer.read()
            self.first.setdefault(int(answer.headers["X-TFT-Bucket"]), time.time())


def delays(first):
    """Seconds after the start of each bucket, without the first and the last one, which may be seen only in part."""
    whole = sorted(first)[1:-1]
    return [first[bucket] - bucket * INTERVAL - UPSTREAM for bucket in whole]


def describe(name, seconds):
    shares = [f"{percentile(seconds, share) * 1000:.0f}" for share in (0.5, 0.9, 0.99)]
    return [name, len(seconds), *shares, f"{max(seconds) * 1000:.0f}"]


def run(short):
    buckets = 3 if short else 100
    with Rig(hosts=(PRODUCTION,) * HOSTS, delay=UPSTREAM, interval=INTERVAL) as rig, Tabs() as tabs:
        rig.wait_fleet()
        tabs.timed("document.getElementById('view')", tabs.open, rig.url("/"))
        tabs.run(NOTE)
        watchers = [Watcher(host.port) for host in rig.hosts]
        for watcher in watchers:
            watcher.start()
        wait_until(lambda: len(watchers[0].first) >= buckets + 2, (buckets + 4) * INTERVAL, "the buckets to pass")
        for watcher in watchers:
            watcher.done.set()
            watcher.join()
        shown = {int(bucket): at / 1000 for bucket, at in tabs.value("window.shown").items()}
    served = [delay for watcher in watchers for delay in delays(watcher.first)]
    seen = delays(shown)
    header = ["ms after the start of a bucket, less the upstream's", "buckets", "median", "90 %", "99 %", "longest"]
    text = (
        f"90 servers, {HOSTS} hosts as in production, a bucket each {INTERVAL} s, an upstream that takes {UPSTREAM * 1000:.0f} ms. Each host is "
        f"asked for its overview every {EVERY * 1000:.0f} ms; one tab of a browser is open and refreshes by itself.\n\n"
    )
    text += markdown(header, [describe("a host answers with it", served), describe("the tab shows it", seen)]) + "\n"
    rows = [
        goal("at a host, median, ms", percentile(served, 0.5) * 1000, 40, False, 0),
        goal("at a host, 99 %, ms", percentile(served, 0.99) * 1000, 250, False, 0),
        goal("in the tab, 99 %, ms", percentile(seen, 0.99) * 1000, 1000, False, 0),
    ]
    return text + markdown(GOAL_HEADER, rows)
