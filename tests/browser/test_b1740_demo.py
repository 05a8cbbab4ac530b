# SPDX-License-Identifier: MIT
"""The simulated fleet after an hour: its forecasts are scored, and what is predicted says how far it can be trusted (doc/pages.md#forecasts)."""
import mmap
import os
import socket
import struct
import time

import fcgi_client
import pytest
from stack import BUILD, Service, clock_library
from timeless import INTERVAL, WINDOW, Timeless
from upstream import Upstream

# Of scores that fill the cells of 30 min within the hour, with a rest.
STEPS = 13


class Demo:
    """The inference daemon of the demonstration, whose wall clock the test puts forward."""

    def __init__(self, directory):
        self.socket, clock = directory / "demo.sock", directory / "clock"
        clock.write_bytes(bytes(8))
        with open(clock, "r+b") as file:
            self.clock = mmap.mmap(file.fileno(), 8)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.socket))
            listening.listen()
            command = [BUILD / "tft-demo-daemon", "--role", "inference", "--state", directory / "state", "--warm", "--latency-ms", "0"]
            env = {
                **os.environ,
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
                "LD_PRELOAD": clock_library(),
                "TFT_CLOCK_FILE": str(clock),
            }
            self.service = Service("demo", command, directory / "log", env, stdin=listening)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.service.stop()

    def ahead(self, seconds):
        self.clock[:] = struct.pack("=q", seconds)

    def predictions(self):
        answer = fcgi_client.request(self.socket, {"REQUEST_METHOD": "GET", "DOCUMENT_URI": "/predictions/current", "REMOTE_ADDR": "127.0.0.1", "DEMO_END": "1"})
        assert answer.status == 200 and answer.complete
        return answer.body


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """An hour in steps of five minutes, until now."""
    begin = int(time.time()) // INTERVAL * INTERVAL - STEPS * WINDOW
    with Demo(tmp_path_factory.mktemp("demo")) as demo, Upstream() as upstream:
        upstream.predictions.body = demo.predictions()
        with Timeless(workers=1, upstream=upstream, begin=begin) as running:
            running.wait_fleet()
            for step in range(STEPS):
                demo.ahead((step + 1) * WINDOW)
                upstream.predictions.body = demo.predictions()
                running.next_bucket(WINDOW)
            yield running


def show(window, stack, path, css, text):
    """Where Redis is late, as on a busy machine, a page has less: opens it until an element has the text."""

    def shown():
        window.open(stack.url(path))
        return any(text in found.text for found in window.all(css))

    stack.wait(shown, 60, f"{text} on {path}")


def test_after_an_hour_every_cell_of_30_minutes_is_filled(stack):
    scores = stack.get("/api/v1/accuracy?horizon=30m").json()["scores"]
    usual = {score["metric"]: score for score in scores if score["scenario"] == "usual" and score["metric"] != "cpu_user"}
    assert sorted(usual) == ["cpu", "iowait", "load", "memory"]
    for metric, score in usual.items():
        assert score["n"] >= 100 and score["verdict"] != "too-few", (metric, score)
        assert 0 <= score["coverage"] <= 1 and score["skill"] is not None, (metric, score)
    stack.wait(lambda: "<b>Of the last day’s 30-minute CPU forecasts" in stack.get("/accuracy").text, 60, "the sentence")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_forecasts_is_shown_whole(window, stack, scheme):
    window.size(1280, 900)
    window.prefer(scheme)
    show(window, stack, "/accuracy", "#summary", "fell inside the band that should hold 80%")
    assert window.findings() == []
    window.shot("accuracy" if scheme == "light" else "accuracy-dark", full=False)
    assert window.complaints() == []


@pytest.mark.parametrize("width", [1440, 360])
def test_what_is_predicted_says_how_far_it_can_be_trusted(window, stack, width):
    """A glyph and a word at each predicted column, the share in words; above each band of a server's page."""
    window.size(width, 900)
    window.prefer("light")
    show(window, stack, "/?sev=healthy-up", "#trust", "CPU used")
    line = window.text("#trust")
    for metric in ("CPU used", "I/O wait", "Memory"):
        words = line.partition(f"{metric} ")[2].split(";")[0]
        assert ", band held " in words and words.endswith("% of 80%"), line
        mark = words.split(",")[0]
        if width > 480:  # below, the table has no heads
            assert mark in [small.text for small in window.all("#alerts-table thead small")]
    assert all(small.get_attribute("title").endswith("of 80%, last day") for small in window.all("#alerts-table thead small"))
    assert window.page_width() <= width
    window.shot(f"trust-overview-{width}")
    name = window.run("return document.querySelector('#alerts-table tbody th a').textContent")
    show(window, stack, f"/server/{name}", "#course figcaption small", "this server: ")
    told = [small.text for small in window.all("#course figcaption small")]
    assert len(told) == 4 and all(", band held " in text or "not enough yet" in text for text in told), told
    assert "this server: " in told[0]
    assert window.page_width() <= width
    window.shot(f"trust-server-{width}")
    assert window.complaints() == []
