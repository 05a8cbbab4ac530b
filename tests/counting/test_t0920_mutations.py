# SPDX-License-Identifier: MIT
"""The command that looks for mutations no test notices, tried with a few that tests do notice, so that both keep working."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["TFT_BUILD"])
sys.path.insert(0, str(ROOT / "tests" / "mutation"))

import mutate  # noqa: E402

# As mutate.py prints a survivor, and the unit program that notices it.
KNOWN = {
    "src/cache/claim.c: if (now - claim->mono_ms > lease_ms) | > to >= at 25": "test_cache",
    "src/cache/commit.c: old_ttl = key_decimal(2 * interval_ms), | n to n + 1 at 22": "test_commit",
    "src/cache/archive.c: int64_t points_ms = hour_before(to_ms - HOUR_MS); | - to + at 38": "test_archive",
    "src/cache/notes.c: return (calls[(good * 9 - 1) / 10].total_ms + 99) / 100 * 100; | n to n + 1 at 22": "test_notes",
    "src/refresh/local.c: if (has_any(local) && gen_ms <= local->gen_mono_ms) | <= to < at 29": "test_refresh",
    "src/server/conns.c: if (c->until_ms <= now) | <= to < at 16": "test_conns",
}


def find(label):
    return next(m for m in mutate.mutations(ROOT / label.split(":")[0]) if mutate.label(m) == label)


@pytest.mark.parametrize("label", KNOWN)
def test_a_mistake_is_made_and_noticed(tmp_path, label):
    mutation, program = find(label), tmp_path / KNOWN[label]
    source = tmp_path / mutation[0].name
    source.write_text(mutate.mutant(mutation))
    includes = [f"-I{p}" for p in (ROOT / "include", BUILD, BUILD / "gen", BUILD / "assets")]
    unit = ROOT / "tests" / "unit" / f"{KNOWN[label]}.c"
    # The library's own copy of the file is not linked then.
    command = [*mutate.compiler(), *mutate.SANITIZE, *includes, "-o", program, unit, source, BUILD / "libtft.a", *mutate.libraries()]
    subprocess.run(command, check=True)
    done = subprocess.run([program], env={**os.environ, "srcdir": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert "[  FAILED  ]" in done.stderr, f"{KNOWN[label]} does not notice it"
