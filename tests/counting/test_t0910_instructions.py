# SPDX-License-Identifier: MIT
"""A page from Redis stays cheap: the test counts the worker's instructions, which do not depend on the load of the
machine."""
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

import instructions  # noqa: E402

TOLERANCE = 0.1  # other versions of the libraries


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
def test_a_page_from_redis_costs_what_it_did():
    """Renewed by `tests/bench/instructions.py --keep`, whether the number rises or falls."""
    found = instructions.measure()
    assert abs(found / instructions.kept() - 1) < TOLERANCE, f"{found} instructions, kept {instructions.kept()}"
