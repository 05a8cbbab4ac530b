# SPDX-License-Identifier: MIT
"""Measurements that are separate programs and print their own tables."""
import subprocess

from rig import BUILD, HERE

PAYLOAD = HERE.parent / "data" / "payloads" / "predictions_current-critical-500.json.gz"


def output_of(argv):
    """Its output. Whether a goal was met is for the reader to judge, but a program that prints nothing has failed."""
    run = subprocess.run(argv, capture_output=True, text=True)
    if not run.stdout.strip():
        raise AssertionError(f"{argv[0]}: {run.stderr}")
    return run.stdout if run.stdout.lstrip().startswith("|") else f"```\n{run.stdout}```\n"


def refresh(short):
    return output_of([BUILD / "tests" / "bench" / "refresh", "-n", "1" if short else "5", PAYLOAD])


def instructions(short):
    return output_of(["/usr/bin/python3", HERE / "instructions.py"])


def buckets(short):
    return output_of(["/usr/bin/python3", HERE / "buckets.py", "--buckets", "12"])
