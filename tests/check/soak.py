#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One fault after the other under load: soak.py [--seconds 600] [--every 30] [--seed N] [--keep DIRECTORY]

Two hosts with four workers each, real nginx and Redis, a simulated upstream. Clients request pages, filtered pages, API, static files
and POSTs all the time, and there is a fault every EVERY seconds: in rounds of all faults, each round in another order. Afterwards it
prints how memory and descriptors of each long-lived process grew, what was lost, and which invariants were violated (checker.py). The
binaries are those of the build directory TFT_BUILD. The status is 0 if nothing was lost, no invariant was violated, no zombie stayed
and, in a run of 10 minutes or more, no worker grew.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from load import Load, ask  # noqa: E402
from recorder import Recorder, checker  # noqa: E402
from stack import Stack  # noqa: E402

INTERVAL = 5
HOSTS, WORKERS, CLIENTS = 2, 4, 12
PAUSE_S = 0.05  # between the requests of a client
PATHS = (
    "/", "/heatmap", "/top", "/history", "/cost", "/remediation", "/alerting", "/advanced", "/docs",
    "/?profile=web", "/heatmap?metric=cpu&sort=-value", "/top?n=3&profile=db", "/cost?project_cost=1000",
    "/api/v1/fleet", "/api/v1/alerts?sev=warning-up", "/api/v1/status", "/?format=csv", "/healthz", "/no-such-page",
)  # fmt: skip
LONG_S = 600  # from here on growth is judged
GROWTH_KB = 64  # per worker, in each of the last two quarters: a buffer reaches its size once, a leak continues


# How processes grow

def slope(points):
    """Theil-Sen: the median of the slopes between any two points, which no outlier moves."""
    points = points[:: max(1, len(points) // 150)]
    slopes = sorted((y - x) / (u - t) for i, (t, x) in enumerate(points) for u, y in points[i + 1 :])
    return slopes[len(slopes) // 2] if slopes else 0.0


def settled(points):
    """Without the first fifth."""
    return points[len(points) // 5 :]


def steady_growth(points):
    """The growth in the third or the fourth quarter, whichever is less."""
    quarter = len(points) // 4
    parts = points[-2 * quarter : -quarter], points[-quarter:]
    return min(slope(part) * (part[-1][0] - part[0][0]) for part in parts)


class Background:
    """Calls run() repeatedly until the block ends."""

    def __init__(self):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()


class Watch(Background):
    """Looks at all processes of a stack once a second."""

    def __init__(self, stack):
        self.stack = stack
        self.names = {}
        self.memory = collections.defaultdict(list)  # pid: [(t, KB)]
        self.descriptors = collections.defaultdict(list)
        self.zombies = set()
        self.dead = set()
        super().__init__()

    def run(self):
        while not self.stop.wait(1):
            self.look()

    def groups(self):
        """Name of each process group."""
        found = {self.stack.redis_service.pid: "redis"} if self.stack.redis_service else {}
        for i, host in enumerate(self.stack.hosts):
            found.update({host.nginx.pid: f"host {i} nginx", host.workers[0].pid: f"host {i}"})
        return found

    def look(self):
        groups, dead = self.groups(), set()
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                pid, name, state, parent, group = self.read(path)
                if group not in groups:
                    continue
                if state == "Z":
                    # Zombies of a killed worker are left to init, which may be slow in a container.
                    if parent != 1:
                        dead.add((pid, name))
                    continue
                self.names[pid] = f"{groups[group]} {name}"
                self.memory[pid].append((time.monotonic(), self.resident_kb(path)))
                self.descriptors[pid].append((time.monotonic(), len(os.listdir(path / "fd"))))
            except (OSError, IndexError):
                continue
        # A process that has just died is reaped by the next look.
        self.zombies |= dead & self.dead
        self.dead = dead

    @staticmethod
    def read(path):
        before, _, after = (path / "stat").read_text(errors="replace").rpartition(") ")
        words = after.split()
        return int(path.name), before.partition("(")[2], words[0], int(words[1]), int(words[2])

    @staticmethod
    def resident_kb(path):
        return int((path / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    def lived(self, seconds):
        """(name, pid) of the processes that were seen for this long."""
        for pid, points in self.memory.items():
            if points and points[-1][0] - points[0][0] >= seconds:
                yield self.names[pid], pid


# Faults

class Faults:
    """Each public method is a fault, which is over when the method returns. On host 1 no process is ended, so that the
    growth of its processes can be watched."""

    def __init__(self, stack, record, rng):
        self.stack = stack
        self.record = record
        self.rng = rng
        self.done = collections.Counter()

    def _next(self):
        """The names in rounds, each in another order, without end."""
        names = [name for name in dir(self) if not name.startswith("_") and name[0].islower() and callable(getattr(self, name))]
        while True:
            self.rng.shuffle(names)
            yield from names

    def _run(self, name):
        getattr(self, name)()
        self.done[name] += 1

    def _last(self, kind, seconds):
        with self.record.fault(kind):
            time.sleep(seconds)

    # Processes

    def kill_worker(self):
        with self.record.fault("death"):
            os.kill(self.rng.choice(self.stack.worker_pids(0)), signal.SIGKILL)

    def stop_worker(self):
        pid = self.rng.choice(self.stack.worker_pids(self.rng.randrange(HOSTS)))
        with self.record.fault("stop"):
            self.stack.pause(pid)
            time.sleep(1.5)
            self.stack.resume(pid)

    def restart_all_workers(self):
        with self.record.fault("restart"):
            for pid in self.stack.worker_pids(0):
                os.kill(pid, signal.SIGTERM)
                self.stack.wait(lambda old=pid: old not in self.stack.worker_pids(0), 20, "the end of a worker")
                self.stack.wait(lambda: len(self.stack.worker_pids(0)) == WORKERS, what="its successor")

    def reload_nginx(self):
        self.stack.hosts[self.rng.randrange(HOSTS)].nginx.send(signal.SIGHUP)

    # Redis

    def restart_redis(self):
        with self.record.fault("loss"):
            self.stack.restart_redis()

    def hang_redis(self):
        pid = self.stack.redis_service.pid
        with self.record.fault("hung"):
            self.stack.pause(pid)
            time.sleep(2)
            self.stack.resume(pid)

    def flush(self):
        script = pathlib.Path(__file__).resolve().parent.parent.parent / "redis" / "flush.lua"
        subprocess.run(["redis-cli", "-s", self.stack.redis_socket, "--eval", script], stdout=subprocess.DEVNULL, check=True)

    def delete_all(self):
        cli = f"redis-cli -s {self.stack.redis_socket}"
        subprocess.run(f"{cli} --scan --pattern 'tft:*' | xargs -r -n 500 {cli} UNLINK >/dev/null", shell=True, check=True)

    # The upstream

    def upstream_down(self):
        self.stack.upstream.unlisten()
        self._last("upstream", 3)
        self.stack.upstream.listen()

    def _predictions(self, seconds, **controls):
        for name, value in controls.items():
            setattr(self.stack.upstream.predictions, name, value)
        self._last("upstream", seconds)
        self.stack.upstream.predictions.reset_controls()

    def upstream_slow(self):
        self._predictions(3, delay=2.0)

    def upstream_fails(self):
        self._predictions(3, status=500, body=b"Internal Server Error", content_type="text/plain; charset=utf-8")

    def upstream_garbage(self):
        self._predictions(3, body=b'{"predictions":{"a":' + self.rng.randbytes(5000))

    def upstream_cut(self):
        self._predictions(3, cut=20_000, reset=True)


class Operator(Background):
    """An operator who presses buttons."""

    def __init__(self, stack, record, rng):
        self.stack = stack
        self.record = record
        self.rng = rng
        super().__init__()

    def run(self):
        while not self.stop.wait(6):
            scenario = self.rng.choice(("healthy", "degrading", "critical"))
            path, form = self.rng.choice((("/refresh", "confirm=1"), ("/scenario", f"scenario={scenario}&confirm=1")))
            self.record.ask(ask, path, self.rng.randrange(HOSTS), method="POST", form=form)


# The run

def is_fresh(seen):
    return seen.status == 200 and seen.cache.startswith("tft-redis; hit; ttl=") and "detail" not in seen.cache


def wait_fresh(stack):
    fresh = lambda: all(is_fresh(ask(stack, host=host)) for host in range(HOSTS) for _ in range(WORKERS))  # noqa: E731
    stack.wait(fresh, 90, "fresh pages on all hosts")


def paths(stack):
    """The pages, and the static files that they name."""
    return PATHS + tuple(f"/{path}" for path in sorted(set(re.findall(r'="(static/[^"]+)"', ask(stack).body.decode()))))


def run_faults(stack, record, faults, seconds, every):
    end = time.monotonic() + seconds
    names = faults._next()
    with Load(stack, paths(stack), CLIENTS, range(HOSTS), note=record.answer, keep=False, pause=PAUSE_S, apart=True):
        with Operator(stack, record, faults.rng):
            due = time.monotonic() + every / 2
            while due < end:
                time.sleep(max(0, due - time.monotonic()))
                faults._run(next(names))
                due += every
            time.sleep(max(0, end - time.monotonic()))
        wait_fresh(stack)


def describe_growth(watch, seconds):
    """Lines for the processes that lived for half of the time, and the workers that grow."""
    lines, growing = [], []
    for name, pid in sorted(watch.lived(seconds / 2)):
        memory, files = watch.memory[pid], watch.descriptors[pid]
        counts = [count for _, count in files]
        lines.append(
            f"{name:24} {pid:7} {memory[-1][0] - memory[0][0]:6.0f} s {memory[0][1]:8} -> {memory[-1][1]:6} KB"
            f" {slope(settled(memory)) * 3600:+9.1f} KB/h {min(counts):5} .. {max(counts):3} fd {slope(settled(files)) * 3600:+7.1f}/h"
        )
        if "tft-dashboard" in name and (steady_growth(memory) > GROWTH_KB or steady_growth(files) >= 1):
            growing.append(f"{name} {pid} goes on growing")
    return lines, growing


def run(directory, seconds, every, seed):
    """Prints a report and returns what is wrong, as a list of sentences."""
    rng = random.Random(seed)
    print(f"seed {seed}, {seconds} s, a fault every {every} s")
    with Stack(workers=WORKERS, hosts=HOSTS, interval=INTERVAL, l1=False, env={"TFT_ANONYMOUS": "operator"}) as stack:
        wait_fresh(stack)
        with Watch(stack) as watch, Recorder(stack, directory, healthy=False) as record:
            faults = Faults(stack, record, rng)
            run_faults(stack, record, faults, seconds, every)
    wrong = record.violations()
    wrong += [f"a zombie stayed: {name} {pid}" for pid, name in watch.zombies]
    lines, growing = describe_growth(watch, seconds)
    if seconds >= LONG_S:
        wrong += growing
    print(*lines, sep="\n")
    print("faults:", ", ".join(f"{count} {name}" for name, count in sorted(faults.done.items())))
    print(record.summary())
    print(*checker.shortened(wrong), f"{len(wrong)} things wrong", sep="\n")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--every", type=float, default=30, help="seconds between two faults")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="the same faults in the same order")
    parser.add_argument("--keep", type=pathlib.Path, help="leave the logs there, for checker.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tft-soak-") as directory:
        return 1 if run(options.keep or directory, options.seconds, options.every, options.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
