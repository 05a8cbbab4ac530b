# SPDX-License-Identifier: MIT
"""What viewers notice of a refresh: latency while the data of a bucket are replaced, against latency in between."""
import random
import re

from rig import NO_L1, Rig, wait_next_bucket
from table import GOAL_HEADER, goal, markdown, percentile
from viewers import Viewer, require_pages, watch

INTERVAL = 5
UPSTREAM = 0.5
# The upstream's time, and that for decoding, rendering and storing on a slow machine.
CHANGE = UPSTREAM + 1.0
PATHS = ("/", "/heatmap", "/top", "/remediation", "/?sev=critical-up", "/api/v1/fleet")
WORKER_TIME = re.compile(r" worker_s=([0-9.]+)")


def plans(port, viewers, rate, seconds):
    """Requests at random times, which are the same in every run."""
    dice = random.Random(1)
    plans = []
    for _ in range(viewers):
        times = sorted(dice.uniform(0, seconds) for _ in range(rate * seconds // viewers))
        plans.append(Viewer(port, [(at, dice.choice(PATHS)) for at in times]))
    return plans


def describe(name, seen):
    times = [s.whole for s in seen]
    cells = [f"{percentile(times, share):.2f}" for share in (0.5, 0.9, 0.99)]
    return [name, f"{len(times):,}", *cells, f"{max(times):.1f}"]


def run(short):
    rate, seconds, viewers = (50, 6, 10) if short else (200, 90, 50)
    with Rig(hosts=(NO_L1,), delay=UPSTREAM, interval=INTERVAL) as rig:
        rig.wait_fleet()
        if not short:
            wait_next_bucket(rig, 2 * INTERVAL)
        seen = watch(plans(rig.hosts[0].port, viewers, rate, seconds))
        worker = [float(found) for found in WORKER_TIME.findall(rig.access_log())]
    require_pages(seen, patient=True)
    during = [s for s in seen if s.wall % INTERVAL < CHANGE]
    between = [s for s in seen if s.wall % INTERVAL >= CHANGE]
    header = ["ms until complete", "requests", "median", "90 %", "99 %", "longest"]
    text = (
        f"{rate} requests/s of {viewers} viewers for {seconds} s, L1 off, a new bucket each {INTERVAL} s, an upstream "
        f"that takes {UPSTREAM * 1000:.0f} ms. A change lasts from the start of a bucket for {CHANGE:g} s.\n\n"
    )
    text += markdown(header, [describe("during a change", during), describe("in between", between)]) + "\n"
    ratio = percentile([s.whole for s in during], 0.99) / percentile([s.whole for s in between], 0.99)
    rows = [
        goal("99 % during a change / in between", ratio, 1.5, False),
        goal("requests answered with 503", sum(s.status == 503 for s in seen), 0, False, 0),
        goal("requests over 50 ms at the worker", sum(t > 0.05 for t in worker), 0, False, 0),
    ]
    return text + markdown(GOAL_HEADER, rows)
