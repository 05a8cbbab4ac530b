# SPDX-License-Identifier: MIT
"""A Stack on a Redis whose clock the test moves, so that a day of buckets passes in seconds.

    with Timeless(workers=1) as stack:
        stack.next_bucket()                                       # the workers refresh at the next request
        stack.commit(3000, "predictions_current-healthy-90")      # by commits.c, each in its own bucket
"""
import mmap
import os
import pathlib
import struct
import subprocess

from stack import BUILD, ROOT, Service, Stack
from upstream import PAYLOADS

INTERVAL = 30
WINDOW = 300  # seconds of which one moment is kept for longer
FIRST = 1_764_000_000  # where the clock begins: the start of a window


def payload(name):
    """A recorded answer by its name; a path of another one as it is."""
    if isinstance(name, pathlib.Path):
        return name
    (path,) = (path for path in PAYLOADS.glob(f"{name}.json*"))
    return path


class Timeless(Stack):
    """memory: [history] memory in MB; begin: where the clock begins."""

    def __init__(self, memory=16, env=None, begin=FIRST, **options):
        super().__init__(interval=INTERVAL, l1=False, env={"TFT_HISTORY_MEMORY": f"{memory}m", **(env or {})}, **options)
        self.memory = memory << 20
        self.begin = begin

    def start(self):
        library, self.clock_file = self.dir / "clock.so", self.dir / "clock"
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run([*compiler, "-O2", "-shared", "-fPIC", "-o", library, ROOT / "tests" / "model" / "clock.c"], check=True)
        self.clock_file.write_bytes(bytes(8))
        with open(self.clock_file, "r+b") as file:
            self.clock = mmap.mmap(file.fileno(), 8)
        self.redis_env = {**os.environ, "LC_ALL": "C", "LD_PRELOAD": str(library), "TFT_CLOCK": str(self.clock_file)}
        self.set_time(self.begin)
        super().start()

    def restart_redis(self):
        self.stop_redis()
        directory = self.redis_socket.parent.parent
        self.redis_service = Service("redis", self.redis_command(), directory / "log" / "redis.log", self.redis_env)
        self.wait(self.redis_answers, what="Redis answers")
        # Otherwise Redis would synchronize its file in every bucket, since a second has passed each time.
        self.redis.config_set("appendfsync", "no")

    def time(self):
        return struct.unpack("=q", self.clock[:])[0] // 1_000_000

    def set_time(self, seconds):
        self.clock[:] = struct.pack("=q", seconds * 1_000_000)

    def commit(self, count, *payloads):
        """Commits this many buckets; the answers alternate."""
        fingerprint = self.redis.get("tfthist:upstream")
        command = [BUILD / "tests" / "integration" / "commits", f"unix:{self.redis_socket}", fingerprint, str(self.memory)]
        subprocess.run([*command, self.clock_file, str(count), *map(payload, payloads)], check=True, stdout=subprocess.DEVNULL, timeout=120)

    def next_bucket(self, seconds=INTERVAL):
        """Moves the clock, and waits until the workers have refreshed; returns the bucket."""
        self.set_time(self.time() + seconds)
        bucket = self.time() // INTERVAL
        self.wait(lambda: self.get("/") and self.committed() == bucket, 30, f"bucket {bucket}")
        return bucket
