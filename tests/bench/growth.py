# SPDX-License-Identifier: MIT
"""How costs grow with the fleet: a refresh by a worker with archive, accuracy, warnings and alerts, pages, memory, Redis. Eight hours of
buckets lie behind it, so that each refresh has forecasts of all horizons to score (commits.c, on a Redis whose clock is moved)."""
import json
import math
import re
import subprocess
import tempfile
from pathlib import Path

from alertmanager import Gate
from configured import Configured
from past import measure
from programs import PAYLOAD
from rig import BUILD, cpu_seconds, memory_kb
from table import GOAL_HEADER, goal, markdown, median
from timeless import INTERVAL, Timeless
from upstream import Upstream, payload_bytes

FLEETS = (20, 90, 500, 1000, 5000)
HOURS = 8  # of the farthest forecast
REFRESHES, TIMES = 5, 10
PAGES = ("/", "/heatmap", "/top", "/server/{server}", "/changes", "/accuracy", "/?sev=watch-up", "/api/v1/fleet")
STEP = re.compile(r"^  \(?([a-z ,-]+?)\)? +([\d.]+) ms", re.M)


class Grown(Configured, Timeless):
    """One worker whose answers may be as large as a fleet of 5,000 makes them, and that sends alerts."""


def body(servers):
    """(the recorded answer with another number of servers, a name). It is made of text: an object of 5,000 would take 8 GB."""
    answer = json.loads(payload_bytes(PAYLOAD.name.partition(".")[0]))
    recorded = [(name, json.dumps(data)) for name, data in answer.pop("predictions").items()]
    chosen = [recorded[i % len(recorded)] for i in range(servers)]
    text = ",".join(f'"{name}-{i}":{data}' for i, (name, data) in enumerate(chosen))
    rest = json.dumps(answer)[1:]
    return f'{{"predictions":{{{text}}},{rest}'.encode(), f"{chosen[-1][0]}-{servers - 1}"


def children_seconds(pid):
    """Processor time of children that have ended: of tft-fetch."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / 100


def peak_mb(pid):
    (kb,) = re.findall(r"^VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(kb) / 1024


def refreshes(stack, count):
    """ms of processor time of each refresh: (worker, tft-fetch, Redis)"""
    (worker,), redis = stack.worker_pids(), stack.redis_service.pid
    found = []
    for _ in range(count):
        before = cpu_seconds([worker]), children_seconds(worker), cpu_seconds([redis])
        stack.next_bucket()
        stack.get("/")  # whoever answers has ended the refresh
        after = cpu_seconds([worker]), children_seconds(worker), cpu_seconds([redis])
        found.append([(b - a) * 1000 for a, b in zip(before, after)])
    return [median(part) for part in zip(*found)]


def steps(servers, rounds):
    """ms of the steps of a refresh, by the program that counts them alone."""
    argv = [BUILD / "tests" / "bench" / "refresh", "-n", str(rounds), "-o", str(servers), PAYLOAD]
    return {name: float(ms) for name, ms in STEP.findall(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)}


def fill(stack, path, buckets):
    while buckets > 0:
        stack.commit(min(buckets, 120), path)
        buckets -= 120
    stack.next_bucket()


def grow(servers, short, directory):
    """{what: figure}"""
    text, name = body(servers)
    path = Path(directory) / f"{servers}.json"
    path.write_bytes(text)
    upstream, gate = Upstream(), Gate()
    upstream.predictions.body = text
    env = {"TFT_ALERTMANAGER": gate.url, "TFT_LOG_LEVEL": "warning"}
    times = 2 if short else TIMES
    with upstream, Grown(text="[upstream]\nmax_body = 256m\ntimeout = 60s\n", workers=1, upstream=upstream, memory=1024, env=env) as stack:
        stack.wait_fleet(timeout=180)
        idle = memory_kb(stack.worker_pids()[0])[0] / 1024
        fill(stack, path, 12 if short else HOURS * 3600 // INTERVAL)
        worker, fetch, redis = refreshes(stack, 2 if short else REFRESHES)
        pages = {page: median(measure(stack, page.format(server=name), times)[0]) for page in PAGES}
        figures = {
            "answer, MB": len(text) / 1e6,
            "refresh: worker, ms": worker,
            "refresh: tft-fetch, ms": fetch,
            "refresh: Redis, ms": redis,
            "worker at its most, MB": peak_mb(stack.worker_pids()[0]),
            "worker idle, MB": idle,
            "Redis, MB": stack.redis.info("memory")["used_memory"] / 2**20,
            "alerts in the last post": len(gate.posts[-1]) if gate.posts else 0,
        }
    gate.close()
    return figures, pages


def slope(fleets, values):
    """The exponent between the last two fleets: 1 is linear."""
    (small, large), (before, after) = fleets[-2:], values[-2:]
    return f"{math.log(after / before) / math.log(large / small):.2f}" if before > 0 and after > 0 else ""


def rows_of(fleets, columns):
    return [[name, *(f"{column[name]:,.1f}" for column in columns), slope(fleets, [column[name] for column in columns])] for name in columns[0]]


def run(short):
    fleets = FLEETS[:2] if short else FLEETS
    with tempfile.TemporaryDirectory() as directory:
        found = [grow(servers, short, directory) for servers in fleets]
    columns, pages = [figures for figures, _ in found], [page for _, page in found]
    parts = [steps(servers, 1 if short else 5) for servers in fleets]
    header = ["servers", *(f"{servers:,}" for servers in fleets), "slope"]
    text = (
        f"One worker; {HOURS} h of buckets of {INTERVAL} s behind it, archive, accuracy, warnings and alerts to an Alertmanager on. Processor time, medians of "
        f"{REFRESHES} refreshes. The slope is the exponent between the last two columns: 1 is linear.\n\n"
    )
    text += markdown(header, rows_of(fleets, columns)) + "\nPages, ms at the worker:\n\n"
    text += markdown(header, rows_of(fleets, [{f"`{page}`": ms for page, ms in column.items()} for column in pages])) + "\n"
    text += "What features add to a refresh, ms of the worker, each alone. To a hit they add nothing: it reads no key of theirs, and the test of its instructions compares.\n\n"
    chosen = ["archive", "accuracy", "warnings", "alerts"]
    text += markdown(header, rows_of(fleets, [{name: part[name] for name in chosen} for part in parts])) + "\n"
    largest = f"{fleets[-1]:,} servers"
    goals = [
        goal(f"a refresh of {largest}, ms", columns[-1]["refresh: worker, ms"], 1500, False, 0),
        goal(f"the worker's memory then, MB beside an answer of {columns[-1]['answer, MB']:.0f}", columns[-1]["worker at its most, MB"], 64, False, 1),
        goal(f"the slowest page of {largest}, ms", max(pages[-1].values()), 60, False, 1),
    ]
    return text + markdown(GOAL_HEADER, goals)
