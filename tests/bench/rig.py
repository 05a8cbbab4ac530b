# SPDX-License-Identifier: MIT
"""What all measurements share: the dashboard as in production, the load generator wrk, and the kernel's accounting."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from stack import BUILD, Stack, wait_until  # noqa: E402
from upstream import Upstream  # noqa: E402

FLEET = "predictions_current-critical-90"
WORKERS = 6
PRODUCTION, NO_L1, DEVELOPMENT = "production", "no L1", "development"


class Rig(Stack):
    """The dashboard with the defaults of production: 6 workers, log level warning, 90 servers.

    hosts: one word for each: PRODUCTION, NO_L1 or DEVELOPMENT (as start_all.sh --dev).
    """

    def __init__(self, hosts=(PRODUCTION,), delay=0.0, fleet=FLEET, **kw):
        upstream = Upstream(predictions=fleet)
        upstream.predictions.delay = delay
        self.modes = hosts
        super().__init__(workers=WORKERS, upstream=upstream, hosts=len(hosts), **kw)

    def mode(self, host):
        return self.modes[self.hosts.index(host)]

    def settings(self, host):
        mode = self.mode(host)
        assets = {"ASSET_CACHE": "no-store"} if mode is DEVELOPMENT else {}
        return {**super().settings(host), "L1": "on" if mode is PRODUCTION else "off", **assets}

    @property
    def memory(self):
        """Where the micro-cache is: below /run, as in production; the logs are too large for it."""
        return pathlib.Path("/dev/shm", self.dir.name)

    def render(self, host):
        super().render(host)
        place = self.memory / host.dir.name
        place.mkdir(parents=True)
        (host.dir / "l1").symlink_to(place)

    def worker_env(self, host):
        return {**super().worker_env(host), "TFT_LOG_LEVEL": "debug" if self.mode(host) is DEVELOPMENT else "warning"}

    def stop(self, check=True):
        super().stop(check)
        self.upstream.close()
        shutil.rmtree(self.memory, ignore_errors=True)

    def processes(self, host=0):
        """The process ids of one host by part, without the cache loader of nginx, which ends after a minute."""
        nginx = self.hosts[host].nginx
        lasting = [pid for pid in nginx.children() if "loader" not in command(pid)]
        return {"nginx": [nginx.pid, *lasting], "worker": self.worker_pids(host), "Redis": [self.redis_service.pid]}


def command(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_text()


def wrk(url, connections, seconds):
    """Requests per second, median and 99th percentile (ms) of one run. Every answer must be a 200."""
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", HERE / "report.lua"]
    argv += ["-H", "Accept-Encoding: gzip", url]
    run = subprocess.run(argv, capture_output=True, text=True, check=True)
    seen = json.loads(run.stdout.splitlines()[-1])
    if seen["errors"] or not seen["requests"]:
        raise AssertionError(f"{url} at {connections} connections: {seen}")
    return seen["requests"] / seen["seconds"], seen["p50"], seen["p99"]


def cpu_seconds(pids):
    """Processor time that these processes have used, by the scheduler in nanoseconds."""
    return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def memory_kb(pid):
    """(RSS, PSS, private memory) of a process."""
    fields = dict(line.split(":") for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    kb = {name: int(value.split()[0]) for name, value in fields.items()}
    return kb["Rss"], kb["Pss"], kb["Private_Clean"] + kb["Private_Dirty"]


def machine():
    """One line about this machine."""
    cpu = next(line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return (
        f"{os.cpu_count()} processors ({cpu.split(':')[1].strip()}), {memory:.0f} GB, Linux {os.uname().release}, "
        f"load {os.getloadavg()[0]:.1f} before"
    )


def wait_next_bucket(stack, timeout):
    """Returns right after the commit of a bucket."""

    def pointer():
        return stack.redis.hget("tft:cur:fleet", "bucket")

    before = pointer()
    wait_until(lambda: pointer() != before, timeout, "the next bucket")
