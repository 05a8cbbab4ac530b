# SPDX-License-Identifier: MIT
"""How long `./start_all.sh` takes on a built tree until the overview shows a fleet, and a restart of all workers in turn."""
import os
import signal
import subprocess
import tempfile
import time

from rig import WORKERS, Rig
from stack import BUILD, ROOT, free_port, wait_until
from table import GOAL_HEADER, figure, goal, markdown, median


def start():
    """Seconds of one start with the simulated fleet."""
    with tempfile.TemporaryDirectory(prefix="tft-start-") as place:
        os.chmod(place, 0o755)  # the workers' user must be able to enter
        env = {
            **os.environ,
            "TFT_RUN_DIR": f"{place}/run",
            "TFT_BUILD": str(BUILD),
            "TFT_PORT": str(free_port()),
            "TFT_DEMO_PORT": str(free_port(2)),
        }
        began = time.perf_counter()
        try:
            subprocess.run([ROOT / "start_all.sh"], env=env, check=True, capture_output=True)
            return time.perf_counter() - began
        finally:
            subprocess.run([ROOT / "stop_all.sh"], env=env, check=True, capture_output=True)


def restart(rig):
    """Seconds until each worker has been replaced, one after the other."""
    began = time.perf_counter()
    for old in rig.worker_pids():
        os.kill(old, signal.SIGTERM)
        wait_until(lambda gone=old: gone not in rig.worker_pids() and len(rig.worker_pids()) == WORKERS, 20, "another worker")
        rig.get("/healthz")
    return time.perf_counter() - began


def run(short):
    rounds = 1 if short else 5
    starts = [start() for _ in range(rounds)]
    with Rig() as rig:
        rig.wait_fleet()
        restarts = [restart(rig) for _ in range(rounds)]
    rows = [
        ["start_all.sh until the overview shows a fleet", figure(starts, 2)],
        [f"{WORKERS} workers restarted in turn", figure(restarts, 2)],
    ]
    goals = [
        goal("start, s", median(starts), 3, False),
        goal("restart, s", median(restarts), 2, False),
    ]
    return markdown(["a built tree", "seconds"], rows) + "\n" + markdown(GOAL_HEADER, goals)
