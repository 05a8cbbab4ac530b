# SPDX-License-Identifier: MIT
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from browser import Browser  # noqa: E402
from stack import Stack, long_interval  # noqa: E402
from upstream import Upstream  # noqa: E402


@pytest.fixture(scope="module")
def stack():
    """The whole chain with the critical fleet of 90 servers."""
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        upstream.scenario = "critical"
        with Stack(workers=3, interval=long_interval(), upstream=upstream) as running:
            running.wait_fleet()
            yield running


@pytest.fixture(scope="module")
def window():
    with Browser() as running:
        yield running
