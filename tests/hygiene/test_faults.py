# SPDX-License-Identifier: MIT
"""doc/faults.md names the test that proves each fault: the tests exist, and no row is missing."""
import re

import pytest

from sources import ROOT

ROWS = re.findall(r"^\| (\d+) \|(.*)\|(.*)\|(.*)\|$", (ROOT / "doc" / "faults.md").read_text(), re.M)
MATRIX = 60  # rows that the design requires; others may follow
DEFINITIONS = {".py": r"^def {}\(", ".c": r"^static void {}\("}


def is_defined(name, test):
    (path,) = (ROOT / "tests").rglob(name)
    return re.search(DEFINITIONS[path.suffix].format(test), path.read_text(), re.M) is not None


def test_the_rows_are_those_of_the_matrix_and_our_own():
    numbers = [int(number) for number, *_ in ROWS]
    assert set(numbers) >= set(range(1, MATRIX + 1)) and len(numbers) == len(set(numbers))


@pytest.mark.parametrize("number, proof", [(row[0], row[3]) for row in ROWS])
def test_each_fault_has_tests_that_exist(number, proof):
    named = re.findall(r"`([\w.]+)::(\w+)`", proof)
    assert named and len(named) == proof.count("::")
    assert [pair for pair in named if not is_defined(*pair)] == []
