# SPDX-License-Identifier: MIT
"""The layers of Makefile.am are the architecture: a file includes headers of its own or a lower layer only."""
import pathlib
import re
import subprocess

import pytest

from sources import ROOT, c_files, code_only, name

HEADER_ONLY = {"span", "err", "fault", "fetch", "diagnosis"}  # static inline or declarations alone; layer 0
GENERATED = {"config.h", "scripts.h", "text.h", "build_id.h", "assets.h"}
PROGRAM = {"main"}  # above all layers


def make_variable(text, variable):
    return re.search(rf"^{variable}\s*=\s*(.*)$", text, re.M).group(1).split()


def read_layers():
    """({stem: layer}, listed headers)"""
    text = (ROOT / "Makefile.am").read_text().replace("\\\n", " ")
    layers = {stem: 0 for stem in HEADER_ONLY}
    for number in range(6):
        for source in make_variable(text, f"layer{number}_src"):
            stem = pathlib.Path(source).stem
            assert stem not in layers, f"{source} is in two layers"
            layers[stem] = number
    return layers, make_variable(text, "headers")


LAYERS, LISTED_HEADERS = read_layers()
SOURCES = sorted((ROOT / "src").glob("*.c"))
HEADERS = sorted((ROOT / "include").glob("*.h"))
# Many files of one or two functions share a header: eleven headers of one prototype each would say nothing more.
FAMILIES = {"cache_": {"cache.h"}, "page_": {"pages.h"}, "api_": {"api.h", "pages.h"}}


def family(stem):
    """The headers that may stand for a header of its own."""
    return next((headers for prefix, headers in FAMILIES.items() if stem.startswith(prefix)), set())


def includes(path):
    # code_only() would empty the very strings we look for.
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M)


def test_every_source_is_in_a_layer_and_every_layer_entry_exists():
    stems = {p.stem for p in SOURCES} - PROGRAM
    assert stems == set(LAYERS) - HEADER_ONLY


def test_every_header_has_a_source_of_its_name_and_is_listed():
    stems = {p.stem for p in HEADERS}
    assert stems <= set(LAYERS), "a header without a module"
    assert sorted(LISTED_HEADERS) == [name(p) for p in HEADERS]
    assert not [stem for stem in set(LAYERS) - stems if not family(stem)], "a module without a header"


@pytest.mark.parametrize("path", SOURCES + HEADERS, ids=name)
def test_includes_go_down(path):
    own = 6 if path.stem in PROGRAM else LAYERS.get(path.stem)
    assert own is not None, "in no layer of Makefile.am"
    upward = []
    for header in includes(path):
        if header in GENERATED:
            continue
        stem = pathlib.Path(header).stem
        assert stem in LAYERS, f"{header} belongs to no layer"
        if LAYERS[stem] > own:
            upward.append(f"{header} (layer {LAYERS[stem]})")
    assert not upward, f"layer {own} includes upward"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_config_h_comes_first_and_the_own_header_second(path):
    first = re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)', re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S), re.M)
    assert first[0] == "config.h"
    if path.stem not in PROGRAM:
        assert first[1] in {path.stem + ".h"} | family(path.stem)


@pytest.mark.parametrize("path", HEADERS, ids=name)
def test_header_compiles_alone_and_twice(path, tmp_path):
    unit = tmp_path / "unit.c"
    unit.write_text(f'#include "{path.name}"\n#include "{path.name}"\nextern int unused;\n')
    packages = ["hiredis", "json-c"]
    flags = subprocess.run(["pkg-config", "--cflags", *packages], capture_output=True, text=True, check=True)
    command = ["gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command += [f"-I{ROOT / 'include'}", *flags.stdout.split(), str(unit)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_the_demo_daemon_shares_nothing_with_the_dashboard():
    demo = [p for p in c_files() if p.parent.name == "demo"]
    own = {p.name for p in demo} | {"config.h"}
    assert demo
    for path in demo:
        assert set(includes(path)) <= own, f"{name(path)} includes a header that is not the daemon's"


def test_comments_are_stripped_without_touching_the_code():
    assert code_only('a /* b */ c("d // e"); // f\ng') == 'a  c(""); \ng'
