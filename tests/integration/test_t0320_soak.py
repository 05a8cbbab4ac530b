# SPDX-License-Identifier: MIT
"""A minute in which everything goes wrong once. The long run is tests/check/soak.py."""
import secrets

import recorder  # noqa: F401  knows where soak is
import soak


def test_a_minute_of_faults(tmp_path):
    assert soak.run(tmp_path, seconds=55, every=4, seed=secrets.randbits(32)) == []
