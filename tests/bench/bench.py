#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""All measurements, as Markdown tables: bench.py [--write BENCHMARKS.md] [--short] [SECTION...]

The programs are those of the build directory TFT_BUILD. With --write, each table replaces the text between its markers in
that file as soon as it is measured. --short takes seconds and only shows that everything can be measured.
"""
import argparse
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import calls
import copies
import flip
import freshness
import growth
import original
import pages
import past
import programs
import resources
import rig
import start
import table
import throughput

SECTIONS = {
    "machine": lambda short: rig.machine() + "\n",
    "pages": pages.run,
    "original": original.run,
    "calls": calls.run,
    "throughput": throughput.run,
    "copies": copies.run,
    "flip": flip.run,
    "freshness": freshness.run,
    "resources": resources.run,
    "past": past.run,
    "start": start.run,
    "refresh": programs.refresh,
    "growth": growth.run,
    "buckets": programs.buckets,
    "instructions": programs.instructions,
}
# The sections that a short run can afford.
SHORT = ("past", "pages", "calls", "throughput", "flip", "resources", "refresh")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    chosen = parser.parse_args()
    for name in set(chosen.sections) - set(SECTIONS):
        parser.error(f"no section {name}")
    return chosen


def measure(name, write):
    text = SECTIONS[name](False)
    print(f"## {name}\n\n{text}", flush=True)
    if write:
        write.write_text(table.replace_section(write.read_text(), name, text))


def measure_shortly(names):
    """All at once, each in a separate process: the figures have no meaning here."""

    def one(name):
        run = subprocess.run([sys.executable, __file__, "--short", name], capture_output=True, text=True)
        return run.returncode, run.stdout, run.stderr

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(one, names))
    for code, output, errors in results:
        print(output, flush=True)
        print(errors, end="", file=sys.stderr)
    return max(code for code, _, _ in results)


def main():
    chosen = arguments()
    if chosen.short and len(chosen.sections) == 1:
        name = chosen.sections[0]
        print(f"## {name}\n\n{SECTIONS[name](True)}")
        return 0
    if chosen.short:
        return measure_shortly(chosen.sections or SHORT)
    for name in chosen.sections or SECTIONS:
        measure(name, chosen.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
