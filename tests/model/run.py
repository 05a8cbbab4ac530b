#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the scripts against the model: run.py [--seed N] [--steps N]. See README.md."""
import argparse
import secrets
import sys
import time

from scheduler import Failure, Run
from server import Server


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="the same seed gives the same run")
    parser.add_argument("--steps", type=int, default=100_000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    with Server() as server:
        run = Run(server, options.seed)
        try:
            run.steps(options.steps)
        except Failure as failure:
            print(failure)
            return 1
    for (script, answer), count in sorted(run.answers.items()):
        print(f"{count:9d} {script} {answer}")
    print(f"{options.steps} steps in {time.monotonic() - began:.1f} s, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
