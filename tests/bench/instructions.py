#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Instructions that a worker spends on one page from Redis, as valgrind counts them: the same on a busy machine.

    tests/bench/instructions.py            prints the number
    tests/bench/instructions.py --keep     writes it to instructions.txt, which test_t0910 compares with

The worker is built here with fixed flags, whatever those of TFT_BUILD are, and its clocks stand still. Two runs of
different length are compared, so that what happens once at the start does not count.
"""
import concurrent.futures
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import fcgi_client  # noqa: E402
from stack import BUILD, ROOT, Stack  # noqa: E402
from upstream import Upstream  # noqa: E402

KEPT = HERE / "instructions.txt"
FLAGS = ["-std=c11", "-O2", "-fPIE", "-w", "-D_GNU_SOURCE"]
PACKAGES = ["json-c", "hiredis", "zlib", "libxxhash"]
RUNS = (50, 250)  # requests of the two runs
ATTEMPTS = 5
PARAMS = {
    "REQUEST_METHOD": "GET", "DOCUMENT_URI": "/", "REMOTE_ADDR": "127.0.0.1", "TFT_SFS": "", "TFT_INM": "", "TFT_AE": "gzip",
    "TFT_RID": "0123456789abcdef0123456789abcdef", "TFT_END": "1",
}


def run(*argv):
    return subprocess.run(list(map(str, argv)), check=True, capture_output=True, text=True).stdout


def build(directory):
    """The worker, and the library that stops its clocks."""
    includes = [f"-I{path}" for path in (ROOT / "include", BUILD, BUILD / "gen", BUILD / "assets")]
    flags = FLAGS + includes + run("pkg-config", "--cflags", *PACKAGES).split()
    sources = sorted(p for p in (ROOT / "src").rglob("*.c") if p.parent.name not in ("demo", "fetch"))
    objects = [directory / f"{source.parent.name}-{source.stem}.o" for source in sources]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: run("gcc", *flags, "-c", "-o", pair[1], pair[0]), zip(sources, objects)))
    tls = ["hiredis_ssl", "libssl", "libcrypto"] if "#define HAVE_HIREDIS_SSL" in (BUILD / "config.h").read_text() else []
    libs = run("pkg-config", "--libs", *tls, *PACKAGES).split()
    run("gcc", "-pie", "-o", directory / "tft-dashboard", *objects, "-lfcgi", "-linih", *libs, "-lm")
    (directory / "tft-fetch").symlink_to(BUILD / "tft-fetch")
    run("gcc", "-O2", "-shared", "-fPIC", "-o", directory / "still.so", ROOT / "tests" / "preload" / "still.c", "-ldl")


def answers(path, count):
    """True if Redis answered all of this many requests on one connection."""
    with fcgi_client.Connection(path) as connection:
        for _ in range(count):
            answer = connection.ask(PARAMS)
            if answer.status != 200 or "; key=" not in answer.headers["cache-status"]:
                return False
    return True


def is_known(stack):
    """True if the worker needs nothing from the daemons in this minute, and can begin within it."""
    second = stack.redis.time()[0]
    said = stack.redis.hvals("tft:said")
    return second % 60 < 45 and len(said) == 2 and all(int(text.split()[0]) // 60000 == second // 60 for text in said)


def instructions(stack, directory, count):
    """What a new worker spends on its start, this many requests and its end; None if Redis missed the deadline of one of
    them."""
    path, out, config = directory / "fcgi.sock", directory / "callgrind.out", directory / "worker.conf"
    path.unlink(missing_ok=True)
    config.write_text("[cache]\nstatus_interval = 1m\n")
    env = {**stack.worker_env(stack.hosts[0]), "LD_PRELOAD": str(directory / "still.so")}
    argv = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", directory / "tft-dashboard", "-c", config]
    stack.wait(lambda: is_known(stack), 30, "what the daemons say is known")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        worker = subprocess.Popen(argv, stdin=listener, env=env, stderr=subprocess.DEVNULL)
        try:
            good = answers(path, count)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1)) if good else None


def measure():
    with tempfile.TemporaryDirectory(prefix="tft-", dir="/tmp") as name:
        directory = pathlib.Path(name)
        build(directory)
        upstream = Upstream(predictions="predictions_current-critical-90")
        try:
            with Stack(workers=1, interval=300, upstream=upstream) as stack:
                stack.wait_fleet()
                attempts = ((instructions(stack, directory, n) for _ in range(ATTEMPTS)) for n in RUNS)
                short, long = (next(filter(None, attempt)) for attempt in attempts)
        finally:
            upstream.close()
    return (long - short) // (RUNS[1] - RUNS[0])


def kept():
    return int(KEPT.read_text().split()[0])


if __name__ == "__main__":
    found = measure()
    print(f"{found} instructions per page from Redis; kept: {kept() if KEPT.exists() else 'none'}")
    if sys.argv[1:] == ["--keep"]:
        KEPT.write_text(f"{found}\n")
