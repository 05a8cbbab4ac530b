# SPDX-License-Identifier: MIT
"""Expected values of the recorded payloads (doc/rules.md#expected-values): the variant `fixed`, with the deliberate differences."""
import functools
import gzip
import json

from upstream import PAYLOADS

# Recorded answers with an expected-values file of the same name.
NAMES = sorted(
    path.name.removeprefix("golden-").split(".")[0]
    for path in PAYLOADS.glob("golden-predictions_*.json.gz")
    if (PAYLOADS / path.name.removeprefix("golden-")).exists()
)


@functools.lru_cache(maxsize=4)
def load(name):
    with gzip.open(PAYLOADS / f"golden-{name}.json.gz") as file:
        return json.load(file)


def close(ours, expected, relative=1e-9):
    """Equal within a relative tolerance. Expected values that were absent in the payload are 0, ours are null (D14)."""
    if ours is None:
        return expected is None or expected == 0
    return abs(ours - expected) <= relative * max(1.0, abs(expected))


def tenths(risk):
    """The expected scores are raw doubles: 28.9 may be 28.899999999999995."""
    return int(risk * 10 + 0.5)
