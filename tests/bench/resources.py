# SPDX-License-Identifier: MIT
"""Memory and processor time: idle, and with viewers who have the dashboard open."""
import random
import time

from rig import Rig, cpu_seconds, memory_kb
from table import GOAL_HEADER, goal, markdown
from viewers import Viewer, require_pages, watch

PAGES = ("/", "/heatmap", "/top", "/history", "/remediation", "/alerting", "/cost")
PAGE_EVERY, STATUS_EVERY = 30, 5


def open_tabs(port, viewers, seconds):
    """What the page's script requests: the page every 30 s, the status every 5 s. All start at random times."""
    dice = random.Random(1)
    plans = []
    for _ in range(viewers):
        page = dice.choice(PAGES)
        pages = [(at, page) for at in steps(dice, PAGE_EVERY, seconds)]
        status = [(at, "/api/v1/status") for at in steps(dice, STATUS_EVERY, seconds)]
        plans.append(Viewer(port, sorted(pages + status)))
    return plans


def steps(dice, every, seconds):
    at = dice.uniform(0, every)
    while at < seconds:
        yield at
        at += every


class Account:
    """Processor time of each part, as a share of one core."""

    def __init__(self, rig):
        self.parts = rig.processes()
        self.began = time.monotonic()
        self.before = self.read()

    def read(self):
        return {name: cpu_seconds(pids) for name, pids in self.parts.items()}

    def shares(self):
        passed = time.monotonic() - self.began
        return {name: 100 * (used - self.before[name]) / passed for name, used in self.read().items()}


def memory(parts):
    """Rows of the table; the sum of all shares (PSS) in MB; the largest worker in MB."""
    found = {name: [memory_kb(pid) for pid in pids] for name, pids in parts.items()}
    rows = []
    for name, sizes in found.items():
        largest = max(sizes)
        columns = (largest[0], largest[2], sum(size[1] for size in sizes))
        rows.append([name, len(sizes), *(f"{kb / 1024:.1f}" for kb in columns)])
    total = sum(size[1] for sizes in found.values() for size in sizes) / 1024
    rows.append(["together", sum(len(sizes) for sizes in found.values()), "", "", f"{total:.1f}"])
    return rows, total, max(size[0] for size in found["worker"]) / 1024


def run(short):
    seconds, viewers = (2, 50) if short else (60, 1000)
    with Rig() as rig:
        rig.wait_fleet()
        watch(open_tabs(rig.hosts[0].port, 20, 1 if short else 10))  # a program that should have served something has done so
        idle = Account(rig)
        time.sleep(seconds)
        idle_shares = idle.shares()
        rows, stack, worker = memory(rig.processes())
        busy = Account(rig)
        seen = watch(open_tabs(rig.hosts[0].port, viewers, seconds))
        busy_shares = busy.shares()
    require_pages(seen, short)
    text = "Idle, 90 servers, after some pages:\n\n"
    header = ["process", "number", "RSS of the largest, MB", "of it not shared, MB", "PSS of all, MB"]
    text += markdown(header, rows) + "\n"
    text += f"Share of one core over {seconds} s, refreshes included; {len(seen):,} requests of {viewers:,} viewers, "
    text += f"each a page every {PAGE_EVERY} s and the status every {STATUS_EVERY} s.\n\n"
    shares = [[name, f"{idle_shares[name]:.2f} %", f"{busy_shares[name]:.2f} %"] for name in idle_shares]
    text += markdown(["processor time", "idle", f"{viewers:,} viewers"], shares) + "\n"
    idle, busy = (shares["worker"] + shares["Redis"] for shares in (idle_shares, busy_shares))
    goals = [
        goal("RSS of a worker, MB", worker, 8, False, 1),
        goal("nginx, 6 workers and Redis, MB", stack, 70, False, 1),
        goal("workers and Redis idle, % of a core", idle, 0.5, False),
        goal(f"workers and Redis with {viewers:,} viewers, % of a core", busy, 15, False, 1),
    ]
    return text + markdown(GOAL_HEADER, goals)
