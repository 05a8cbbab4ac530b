#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The figures of the cache: buckets.py [--buckets 60] [--clients 300] [--keep DIRECTORY]

Three hosts with four workers each on one Redis, 300 clients, an upstream that takes half a second for each answer, and a bucket every
5 s. For 60 buckets there is no fault. Then the worker that holds the lock is killed during its call, Redis hangs for 10 s, and Redis is
restarted twice: while no worker writes, and between the call and the commit of a refresh. The workers measure the times: their
histogram of durations, from the request that was read to the answer that was sent. Prints each figure with its requirement; the status
is 0 if all are met. Takes about 7 minutes; on a busy machine the times mean nothing. The binaries are those of the build directory TFT_BUILD.
"""
import argparse
import collections
import os
import pathlib
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from load import Load, ask  # noqa: E402
from recorder import Recorder, checker  # noqa: E402
from stack import Stack  # noqa: E402

INTERVAL = 5
HOSTS, WORKERS = 3, 4
PATHS = ("/", "/heatmap", "/heatmap?profile=db", "/top", "/api/v1/fleet", "/cost")
DEATHS, RESTARTS, HANG_S = 3, 3, 10
BUCKET = re.compile(r'^tft_dashboard_http_request_duration_seconds_bucket\{le="([^"]+)"\} (\d+)$', re.M)


class NamedHosts(Stack):
    """Each host has its own counts."""

    def worker_env(self, host):
        return {**super().worker_env(host), "TFT_NODE": f"host{self.hosts.index(host)}"}


def durations(stack):
    """The number of requests so far by the upper limit of their duration, of all workers, which send their counts once a
    second."""
    end = time.monotonic() + 2.5
    stack.wait(lambda: time.monotonic() > end, 5, "the counts")
    total = collections.Counter()
    for host in range(HOSTS):
        # A worker that has just lost Redis knows no counts.
        counts = stack.wait(lambda host=host: BUCKET.findall(ask(stack, "/metrics", host).body.decode()), what="the counts")
        total.update({limit: int(count) for limit, count in counts})
    return total


def longer(before, after, limit):
    """(requests that took longer, all) between the two readings."""
    spent = after - before
    return spent["+Inf"] - spent[limit], spent["+Inf"]


def is_fresh(seen):
    return seen.status == 200 and seen.cache.startswith("tft-redis; hit; ttl=") and "detail" not in seen.cache


def wait_fresh(stack, timeout=60):
    """Every worker of every host has been asked, as far as chance allows."""
    fresh = lambda: all(is_fresh(ask(stack, host=host)) for host in range(HOSTS) for _ in range(WORKERS))  # noqa: E731
    stack.wait(fresh, timeout, "fresh pages on all hosts")


def sockets_to(port):
    """Inodes of the established connections to that port of this machine."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "01" and int(row[2].partition(":")[2], 16) == port}


def find_holder(stack):
    """The worker whose tft-fetch is calling the upstream."""
    sockets = {f"socket:[{inode}]" for inode in sockets_to(int(stack.upstream.daemon_url.rpartition(":")[2]))}
    for host in range(HOSTS):
        for pid in stack.worker_pids(host):
            for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if sockets & {os.readlink(fd) for fd in pathlib.Path(f"/proc/{child}/fd").iterdir()}:
                    return pid
    return None


def kill_holder(stack, record):
    predictions = stack.upstream.predictions
    predictions.hold()
    try:
        stack.wait(predictions.arrived.is_set, 2 * INTERVAL, "a call")
        with record.fault("death"):
            os.kill(stack.wait(lambda: find_holder(stack), what="the holder"), signal.SIGKILL)
    finally:
        predictions.release()
    wait_fresh(stack)


def hang_redis(stack, record):
    pid = stack.redis_service.pid
    with record.fault("hung"):
        stack.pause(pid)
        time.sleep(HANG_S)
        stack.resume(pid)
    wait_fresh(stack)


def recovery_s(stack):
    """From Redis' first answer until everything is fresh again."""
    began = time.monotonic()
    wait_fresh(stack)
    return time.monotonic() - began


def restart_redis(stack, record):
    """While no worker writes."""
    stack.wait(lambda: 1.5 < time.time() % INTERVAL < 3.5 and not stack.redis.exists("tft:lock:fleet"), 60, "a quiet moment")
    with record.fault("loss"):
        stack.restart_redis()
    return recovery_s(stack)


def restart_under_a_refresh(stack, record):
    """The holder has its data, but cannot store them."""
    predictions = stack.upstream.predictions
    failures = stack.logs().count("ev=refresh_failed")
    predictions.hold()
    try:
        stack.wait(predictions.arrived.is_set, 2 * INTERVAL, "a call")
        with record.fault("loss"):
            stack.stop_redis()
            predictions.release()
            stack.wait(lambda: stack.logs().count("ev=refresh_failed") > failures, what="a refresh in vain")
            stack.restart_redis()
    finally:
        predictions.release()
    return recovery_s(stack)


def measure(directory, buckets, clients):
    found = {}
    with NamedHosts(workers=WORKERS, hosts=HOSTS, interval=INTERVAL, l1=False) as stack:
        stack.upstream.predictions.delay = 0.5
        wait_fresh(stack)
        with Recorder(stack, directory) as record:
            with Load(stack, PATHS, clients, range(HOSTS), note=record.answer, keep=False, pause=1, apart=True):
                start = durations(stack)
                first = stack.committed()
                stack.wait(lambda: stack.committed() > first + buckets, (buckets + 3) * INTERVAL, "quiet buckets")
                quiet = durations(stack)
                found["refreshing"] = longer(start, quiet, "0.05")
                for _ in range(DEATHS):
                    kill_holder(stack, record)
                before = durations(stack)
                hang_redis(stack, record)
                found["hung"] = longer(before, durations(stack), "0.3")
                found["recovery"] = max(restart_redis(stack, record) for _ in range(RESTARTS))
                found["interrupted"] = restart_under_a_refresh(stack, record)
    return found


def judge(directory, found, buckets):
    """(figure, required, measured, reached)"""
    log = checker.load(directory)
    counts = collections.Counter(call["bucket"] for call in log.calls if call["bucket"] is not None)
    quiet = [bucket for bucket in range(min(counts) + 1, max(counts)) if checker.is_quiet(log, bucket)]
    single = sum(counts[bucket] == 1 for bucket in quiet)
    hurt = checker.violations(log)
    for text in checker.shortened(hurt):
        print(text)
    worst = max(counts[bucket] for bucket in counts if bucket not in set(quiet))
    return [
        ("buckets in which nothing went wrong", f">= {buckets}", len(quiet), len(quiet) >= buckets),
        ("  of them with exactly one call", "all", f"{single} ({100 * single / len(quiet):.1f} %)", single == len(quiet)),
        ("most calls in another bucket", "1 + faults", worst, not any(text.startswith("I1:") for text in hurt)),
        ("requests over 50 ms while refreshing", "0", "%d of %d" % found["refreshing"], found["refreshing"][0] == 0),
        ("requests over 300 ms while Redis hangs", "0", "%d of %d" % found["hung"], found["hung"][0] == 0),
        ("fresh after a restart of Redis", f"<= {INTERVAL + 1} s", f"{found['recovery']:.1f} s", found["recovery"] <= INTERVAL + 1),
        ("  that interrupts a refresh", f"<= {INTERVAL + 1} s", f"{found['interrupted']:.1f} s", found["interrupted"] <= INTERVAL + 1),
        ("violations of invariants", "0", len(hurt), not hurt),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--buckets", type=int, default=60, help="in which nothing goes wrong")
    parser.add_argument("--clients", type=int, default=300, help="each asks once a second")
    parser.add_argument("--keep", type=pathlib.Path, help="leave the logs there, for checker.py")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tft-bench-") as directory:
        directory = options.keep or directory
        found = measure(directory, options.buckets, options.clients)
        rows = judge(directory, found, options.buckets)
    for figure, required, measured, reached in rows:
        print(f"{figure:42}{required:>12}{measured!s:>18}  {'reached' if reached else 'MISSED'}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
