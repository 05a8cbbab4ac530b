# SPDX-License-Identifier: MIT
"""A minute in which each fault happens once. The long run is tests/check/soak.py."""
import secrets

import recorder  # noqa: F401  adds the directory of soak to the path
import soak


def test_a_minute_of_faults(tmp_path):
    assert soak.run(tmp_path, seconds=55, every=4, seed=secrets.randbits(32)) == []
