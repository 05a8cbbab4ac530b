# SPDX-License-Identifier: MIT
"""What one would use instead: a Streamlit app and a Dash app over the same upstream, seen by the same browser.

Both are written in the manner of the dashboards that this one replaces (peers/). Their frameworks are installed by pip into a
private environment beside the build; nothing else in this project uses pip.
"""
import contextlib
import os
import pathlib
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

import requests

from rig import HERE, Rig, cpu_seconds, memory_kb
from stack import BUILD, Service, free_port, wait_until
from table import figure, markdown
from tabs import Tabs
from upstream import Upstream

FLEET = "predictions_current-critical-20"
SERVER = "ppweb004"  # one of that fleet, at risk
DELAY = 0.2  # of the upstream, seconds
INTERVAL = 10
ROUNDS = 5
OPEN = (1, 5, 20)  # tabs
VIEWERS = 5  # tabs while processor time and calls are counted
WATCHED = 30  # seconds of that

NAMED = f"!window.left && document.body && document.body.innerText.includes('{SERVER}')"
PLOTTED = "[...document.querySelectorAll('.heatmaplayer image')].some(e => e.getBoundingClientRect().width > 0)"
# Opens another tab of a page made of plotly's charts.
PRESS = "[...document.querySelectorAll('{}')].find(e => e.innerText.includes('Heatmap')).click()"


@dataclass
class Subject:
    """url    of the first page
    click  JavaScript that opens the heatmap
    drawn  JavaScript that is true when it is there
    pids   lists the processes of the server
    calls  the number of predictions calls so far
    seen   {what: [figure of each round]}
    """

    url: str
    click: str
    drawn: str
    pids: callable
    calls: callable
    seen: dict = field(default_factory=dict)

    def note(self, **figures):
        for what, value in figures.items():
            self.seen.setdefault(what, []).append(value)

    def memory(self):
        return sum(memory_kb(pid)[1] for pid in self.pids()) / 1024


def programs():
    """The directory of the private environment's programs, which is made when requirements.txt has changed."""
    place = BUILD.parent / "original"
    wanted, installed = HERE / "peers" / "requirements.txt", place / "requirements.txt"
    if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", place], check=True)
        subprocess.run([place / "bin" / "pip", "install", "--quiet", "-r", wanted], check=True)
        installed.write_bytes(wanted.read_bytes())
    return place / "bin"


def descendants(pid):
    """A process and all that it has started."""
    found = [pid]
    with contextlib.suppress(FileNotFoundError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += descendants(int(child))
    return found


def answers(url):
    try:
        return requests.get(url, timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


@contextlib.contextmanager
def app(name, click, argv):
    """Runs a peer; {port} in argv is its port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with Upstream(predictions=FLEET) as upstream, tempfile.TemporaryDirectory(prefix="tft-peer-") as place:
        upstream.predictions.delay = DELAY
        env = {
            **os.environ,
            "PEER_UPSTREAM": upstream.daemon_url,
            "PEER_GENERATOR": upstream.generator_url,
            "PEER_INTERVAL": str(INTERVAL),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        service = Service(name, [str(word).format(port=port) for word in argv], pathlib.Path(place, "log"), env)
        try:
            wait_until(lambda: answers(url), 60, name)
            yield Subject(url, click, PLOTTED, lambda: descendants(service.pid), lambda: upstream.predictions.count)
        finally:
            service.stop()


@contextlib.contextmanager
def dashboard():
    with Rig(interval=INTERVAL, fleet=FLEET, delay=DELAY) as rig:
        rig.wait_fleet()
        click = "document.querySelector('nav a[href*=heatmap]').click()"
        drawn = f"location.pathname === '/heatmap' && document.querySelector('a[href*={SERVER}]')"
        pids = lambda: [pid for part in rig.processes().values() for pid in part]  # noqa: E731
        yield Subject(rig.url("/"), click, drawn, pids, lambda: rig.upstream.predictions.count)


@contextlib.contextmanager
def subjects():
    where, peers = programs(), HERE / "peers"
    streamlit = [where / "streamlit", "run", peers / "streamlit_app.py", "--server.port", "{port}"]
    streamlit += ["--server.address", "127.0.0.1", "--server.headless", "true", "--browser.gatherUsageStats", "false"]
    dash = [where / "gunicorn", "-b", "127.0.0.1:{port}", "--threads", "8", "--chdir", peers, "dash_app:server"]
    with contextlib.ExitStack() as all_of_them:
        yield {
            "Streamlit": all_of_them.enter_context(app("streamlit", PRESS.format("[role=tab]"), streamlit)),
            "Dash": all_of_them.enter_context(app("dash", PRESS.format(".tab,[role=tab]"), dash)),
            "dashboard": all_of_them.enter_context(dashboard()),
        }


def look(subject):
    """What one viewer with an empty cache waits for, and what comes over the network."""
    with Tabs() as tabs:
        first = tabs.timed(NAMED, tabs.open, subject.url)
        asked, size = tabs.traffic()
        tabs.run("window.left = true")
        again = tabs.timed(NAMED, tabs.reload)
        other = tabs.timed(subject.drawn, tabs.run, subject.click)
        subject.note(first=first, reload=again, other=other, requests=asked, kilobytes=size / 1024)


def fill(subject):
    """Memory with more and more tabs open; processor time and calls with some."""
    with Tabs() as tabs:
        tabs.timed(NAMED, tabs.open, subject.url)
        count = 1
        for wanted in OPEN:
            for count in range(count + 1, wanted + 1):
                tabs.timed(NAMED, tabs.open_another, subject.url)
            subject.note(**{f"memory {wanted}": subject.memory()})
            if wanted == VIEWERS:
                watch(subject)


def watch(subject):
    calls, before, began = subject.calls(), cpu_seconds(subject.pids()), time.monotonic()
    wait_until(lambda: time.monotonic() - began > WATCHED, WATCHED + 5, "the time to pass")
    used = cpu_seconds(subject.pids()) - before
    subject.note(calls=subject.calls() - calls, cpu=100 * used / (time.monotonic() - began))


# Row, figure, digits, and what the guide to optimization of the Streamlit original promises.
ROWS = (
    ("first page until its data are visible, ms", "first", 0, "450 to 800"),
    ("the same page again, ms", "reload", 0, "80"),
    ("another tab, ms", "other", 0, "50"),
    ("requests of the first page", "requests", 0, ""),
    ("KB of the first page", "kilobytes", 0, ""),
    *((f"memory of the server with {count} tabs open, MB", f"memory {count}", 0, "") for count in OPEN),
    (f"processor time with {VIEWERS} tabs open, % of a core", "cpu", 1, ""),
    (f"predictions calls in {WATCHED} s of {VIEWERS} tabs, interval {INTERVAL} s", "calls", 0, ""),
)


def run(short):
    with subjects() as all_of_them:
        for _ in range(ROUNDS):
            for subject in all_of_them.values():
                look(subject)
        for subject in all_of_them.values():
            fill(subject)
        rows = [
            [text, *(figure(subject.seen[what], digits) for subject in all_of_them.values()), guide]
            for text, what, digits, guide in ROWS
        ]
        header = ["", *all_of_them, "promised for Streamlit"]
    text = (
        f"20 servers, an upstream that takes {DELAY * 1000:.0f} ms, a refresh each {INTERVAL} s; {ROUNDS} rounds in turn, each with a browser "
        "whose cache is empty. Of several tabs one is visible, and browsers slow down the others.\n\n"
    )
    return text + markdown(header, rows)
