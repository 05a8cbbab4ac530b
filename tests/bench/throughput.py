# SPDX-License-Identifier: MIT
"""Requests per second and latency of one page, beside other ways to serve the same bytes."""
import time
import urllib.request

from peer import FLASK, LUA, STATIC, STATIC_HEAD, Peers
from rig import NO_L1, PRODUCTION, Rig, wrk
from table import GOAL_HEADER, figure, goal, markdown, median

L1, HIT = "dashboard, L1", "dashboard, Redis"


def fetch(url):
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        if answer.headers["Content-Encoding"] != "gzip":
            raise AssertionError(f"{url} is not compressed")
        return answer.read()


def variants(rig, peers):
    """Name and URL of each, all with the page that the dashboard shows now. Should that change meanwhile: once more."""
    end = time.monotonic() + 10
    while True:
        page = fetch(rig.url("/", host=1))
        peers.load(page)
        urls = {L1: rig.url("/", host=0), HIT: rig.url("/", host=1), **peers.urls}
        try:
            require_same(urls, page)
            return urls, len(page)
        except AssertionError:
            if time.monotonic() > end:
                raise


def require_same(urls, page):
    for name, url in urls.items():
        if fetch(url) != page:
            raise AssertionError(f"{name} does not answer with the same bytes")


def measure(rounds, seconds, levels):
    """(samples by level and name: lists of (requests/s, p50, p99), bytes of the page)"""
    samples = {}
    with Rig(hosts=(PRODUCTION, NO_L1), interval=300) as rig:
        rig.wait_fleet()
        with Peers(rig, host=1) as peers:
            for _ in range(rounds):
                for level in levels:
                    urls, size = variants(rig, peers)
                    for name, url in urls.items():
                        samples.setdefault((level, name), []).append(wrk(url, level, seconds))
    return samples, size


def ratio(samples, level, name, other, column):
    """Median of the ratios of the rounds: what was measured within seconds of each other is compared."""
    pairs = zip(samples[level, name], samples[level, other])
    return median(one[column] / two[column] for one, two in pairs)


def goals(samples, levels):
    rows = []
    for level in levels:
        rows += [
            goal(f"L1 hit / {name}, {what}, {level} conn.", ratio(samples, level, L1, name, column), limit, at_least)
            for name in (STATIC_HEAD, STATIC)
            for what, column, limit, at_least in (("requests/s", 0, 0.95, True), ("p99", 2, 1.2, False))
        ]
    middle, alone = levels[len(levels) // 2], levels[0]
    rows += [
        goal(f"Redis hit / nginx + Lua, requests/s, {middle} conn.", ratio(samples, middle, HIT, LUA, 0), 0.6, True),
        goal(f"Redis hit / nginx + Lua, median, {alone} conn.", ratio(samples, alone, HIT, LUA, 1), 1.3, False),
        goal(f"Redis hit / Flask, requests/s, {middle} conn.", ratio(samples, middle, HIT, FLASK, 0), 2.5, True),
    ]
    return markdown(GOAL_HEADER, rows)


def run(short):
    levels = (4,) if short else (1, 16, 128)
    rounds, seconds = (1, 1) if short else (7, 3)
    samples, size = measure(rounds, seconds, levels)
    rows = []
    for (level, name), found in samples.items():
        rate, middle, high = zip(*found)
        rows.append([name, level, figure(rate, 0), figure(middle, 2), figure(high, 2)])
    header = ["served by", "connections", "requests/s", "median ms", "p99 ms"]
    text = f"The overview of 90 servers, {size:,} bytes compressed; {rounds} rounds of {seconds} s each in turn.\n\n"
    return text + markdown(header, rows) + "\n" + goals(samples, levels)
