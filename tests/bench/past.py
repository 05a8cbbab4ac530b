# SPDX-License-Identifier: MIT
"""What a page of the past, and one that shows a day, takes at the worker: Redis and rendering, as its Server-Timing says. Before it lies a
day of buckets of 30 s, by commits.c on a Redis whose clock is moved."""
import json
import os
import re
import tempfile
import time
from pathlib import Path

from programs import PAYLOAD
from rig import HERE  # noqa: F401  (the path of the integration tests)
from table import GOAL_HEADER, figure, goal, markdown, median
from test_t1600_moments import at, iso
from timeless import INTERVAL, Timeless
from upstream import Upstream, payload_bytes

FLEETS = {90: 5.0, 1000: 30.0}  # servers, and the most that the median of any page may take, ms
TIMES = 30
PAGES = ("/", "/heatmap", "/server/{server}", "/history?range=1d", "/incidents", "/changes", "/accuracy", "/api/v1/fleet")


def fleet(servers, directory):
    """The recorded answer with another number of servers: (path, a name)."""
    answer = json.loads(payload_bytes(PAYLOAD.name.partition(".")[0]))
    recorded = list(answer["predictions"].items())
    answer["predictions"] = {f"{recorded[i % len(recorded)][0]}-{i}": recorded[i % len(recorded)][1] for i in range(servers)}
    path = Path(directory) / f"{servers}.json"
    path.write_text(json.dumps(answer))
    return path, next(reversed(answer["predictions"]))


def took(answer):
    """ms of Redis and of rendering"""
    parts = dict(re.findall(r"(\w+);dur=([\d.]+)", answer.headers["Server-Timing"]))
    return float(parts.get("redis", 0)) + float(parts.get("render", 0))


def measure(stack, path, times):
    found = []
    while len(found) < times:
        answer = stack.get(path)
        if answer.status_code == 200:
            found.append((took(answer), len(answer.content)))
    return [ms for ms, _ in found], found[-1][1]


def fill(stack, path, buckets):
    for _ in range(buckets // 120):
        stack.commit(120, path)
    stack.next_bucket()


def run(short):
    rows, goals = [], []
    with tempfile.TemporaryDirectory() as directory:
        for servers, limit in FLEETS.items():
            if short and servers > 90:
                continue
            path, name = fleet(servers, directory)
            upstream = Upstream()
            upstream.predictions.body = path.read_bytes()
            with upstream, Timeless(workers=1, upstream=upstream, memory=256) as stack:
                stack.wait_fleet(timeout=30)
                fill(stack, path, 240 if short else 2880)
                moment = iso((stack.time() // INTERVAL - 60) * INTERVAL * 1000)
                medians = []
                for page in PAGES:
                    page = page.format(server=name)
                    then, size = measure(stack, at(page, moment), 3 if short else TIMES)
                    now, _ = measure(stack, page, 3 if short else TIMES)
                    medians.append(median(then))
                    rows.append([f"{servers}: `{page}`", figure(then), figure(now), f"{size / 1024:,.0f}"])
                goals.append(goal(f"ms of the slowest page of the past, {servers} servers", max(medians), limit, False, 1))
    load = os.getloadavg()[0]
    text = f"Milliseconds at the worker, {TIMES} requests each; the machine's load was {load:.1f} at the end ({time.strftime('%Y-%m-%d')}).\n\n"
    return text + markdown(["servers, page", "half an hour ago", "now", "KB"], rows) + "\n" + markdown(GOAL_HEADER, goals)
