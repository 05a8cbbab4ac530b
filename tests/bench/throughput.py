# SPDX-License-Identifier: MIT
"""Requests per second and latency of one page, beside other ways to serve the same bytes."""
import itertools
import random
import time
import urllib.request

from peer import CACHE, FLASK, LUA, LUA_UNLOGGED, ORDER, SENDFILE, STATIC, Peers
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
    """Name and URL of each variant, all with the page that the dashboard shows now. If that changes meanwhile, once more."""
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


def shuffled(items, turn):
    """In another order each time, but the same in each run: the previous measurement influences the next."""
    return random.Random(turn).sample(list(items), len(items))


def measure(rounds, seconds, levels):
    """(samples by level and name: lists of (requests/s, p50, p99), bytes of the page)"""
    samples = {}
    with Rig(hosts=(PRODUCTION, NO_L1), interval=300) as rig:
        rig.wait_fleet()
        with Peers(rig, host=1) as peers:
            for turn in range(rounds):
                for level in levels:
                    urls, size = variants(rig, peers)
                    for name, url in shuffled(urls.items(), turn):
                        samples.setdefault((level, name), []).append(wrk(url, level, seconds))
    return samples, size


def best(samples, level, names):
    """The samples of the peer of these that served most requests: each peer is compared at its best."""
    return max((samples[level, name] for name in names), key=lambda rounds: median(rate for rate, _, _ in rounds))


def ratio(samples, level, name, others, column):
    """Median of the ratios of the rounds, which compares measurements taken within seconds of each other."""
    pairs = zip(samples[level, name], best(samples, level, others))
    return median(one[column] / two[column] for one, two in pairs)


RATE, MEDIAN, P99 = range(3)
COLUMNS = {RATE: "requests/s", MEDIAN: "median", P99: "p99"}
# What is compared with the best of which peers, in which column, at which connections (None: all), and the goal.
GOALS = (
    ("L1 / fastcgi_cache", L1, (CACHE,), RATE, None, 0.97),
    ("L1 / static file", L1, (STATIC, SENDFILE), RATE, None, 0.9),
    ("L1 / static file", L1, (STATIC, SENDFILE), P99, None, 1.2),
    ("Redis hit / nginx + Lua", HIT, (LUA, LUA_UNLOGGED), RATE, (16, 128), 0.7),
    ("Redis hit / nginx + Lua", HIT, (LUA, LUA_UNLOGGED), P99, (16, 128), 2),
    ("Redis hit / nginx + Lua", HIT, (LUA, LUA_UNLOGGED), MEDIAN, (1,), 1.2),
    ("Redis hit / Flask", HIT, (FLASK,), RATE, (16,), 2.5),
)


def goals(samples, levels):
    rows = []
    for text, name, others, column, where, limit in GOALS:
        for level in levels:
            if where is None or level in where:
                value = ratio(samples, level, name, others, column)
                rows.append(goal(f"{text}, {COLUMNS[column]}, {level} conn.", value, limit, column == RATE))
    return markdown(GOAL_HEADER, rows)


def run(short):
    levels = (4,) if short else (1, 16, 128)
    rounds, seconds = (1, 1) if short else (21, 1)
    samples, size = measure(rounds, seconds, levels)
    rows = []
    for level, name in itertools.product(levels, (L1, HIT, *ORDER)):
        rate, middle, high = zip(*samples[level, name])
        rows.append([name, level, figure(rate, 0), figure(middle, 2), figure(high, 2)])
    header = ["served by", "connections", "requests/s", "median ms", "p99 ms"]
    text = f"The overview of 90 servers, {size:,} bytes compressed; {rounds} rounds of {seconds} s each, each in another order.\n\n"
    return text + markdown(header, rows) + "\n" + goals(samples, levels)
