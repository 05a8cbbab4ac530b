# SPDX-License-Identifier: MIT
"""The directories below src and include are the rooms. A file includes only headers of its own room or of rooms below it."""
import pathlib
import re
import subprocess

import pytest

from sources import ROOT, c_files, code_only, name

# Which room may use which, from the lowest up: a room and the rooms below it that it uses.
ROOMS = {
    "base": set(),
    "store": {"base"},
    "fleet": {"base"},
    "pages": {"base", "fleet"},
    "cache": {"base", "store", "fleet", "pages"},
    "refresh": {"base", "fleet", "pages", "cache"},
    "server": {"base", "store", "fleet", "pages", "cache", "refresh", "top"},
    "top": {"base", "store", "fleet", "pages", "cache", "refresh", "server"},
}
PROGRAMS = {"demo", "fetch"}  # directories of src that are separate programs
GENERATED = {"config.h", "paths.h", "scripts.h", "text.h", "build_id.h", "assets.h"}
SOURCES = sorted(p for p in (ROOT / "src").rglob("*.c") if not PROGRAMS & set(p.relative_to(ROOT / "src").parts))
HEADERS = sorted((ROOT / "include").rglob("*.h"))
# Many files with one or two functions share a header: eleven headers with one prototype each would say nothing more.
FAMILIES = {"cache/": {"cache/cache.h", "cache/redis.h"}, "pages/": {"pages/contents.h", "pages/api.h", "pages/pieces.h"}}


def stem(path):
    """room/name, as in an include but without the ending."""
    return str(path.relative_to(ROOT / path.relative_to(ROOT).parts[0]).with_suffix(""))


def room(header):
    return header.split("/")[0] if "/" in header else "top"


def family(path):
    """The headers that may take the place of its own header."""
    return next((headers for prefix, headers in FAMILIES.items() if stem(path).startswith(prefix)), set())


def includes(path):
    # code_only() would empty the strings that are needed here.
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M)


def make_list(variable):
    text = (ROOT / "Makefile.am").read_text().replace("\\\n", " ")
    return re.search(rf"^{variable}\s*=\s*(.*)$", text, re.M).group(1).split()


def upward(path):
    own = room(stem(path))
    allowed = ROOMS[own] | {own}
    return [header for header in includes(path) if header not in GENERATED and room(header) not in allowed]


def test_every_folder_is_a_room():
    folders = {p.name for kind in ("src", "include") for p in (ROOT / kind).iterdir() if p.is_dir() and any(p.glob("*.[ch]"))}
    assert folders - PROGRAMS == set(ROOMS) - {"top"}


@pytest.mark.parametrize("own", ROOMS)
def test_what_is_built_is_what_lies_in_the_folder(own):
    there = {name(p) for p in SOURCES if room(stem(p)) == own} - {"src/main.c"}
    assert set(make_list(f"src_{own}")) == there


def test_every_header_is_listed_and_has_a_source():
    assert set(make_list("headers")) == {name(p) for p in HEADERS}
    inline = {"base/span", "base/err", "base/fault", "refresh/fetch", "cache/protocol", "fleet/diagnosis", "pages/view", "pages/contents", "pages/pieces", "server/action_answer"}
    assert {stem(p) for p in HEADERS} - {stem(p) for p in SOURCES} == inline


@pytest.mark.parametrize("path", SOURCES + HEADERS, ids=name)
def test_includes_go_down(path):
    assert not upward(path), f"{room(stem(path))} includes upward"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_config_h_comes_first_and_the_own_header_second(path):
    first = re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)', re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S), re.M)
    assert first[0] == "config.h"
    if name(path) != "src/main.c":
        assert first[1] in {stem(path) + ".h"} | family(path)


@pytest.mark.parametrize("path", HEADERS, ids=name)
def test_header_compiles_alone_and_twice(path, tmp_path):
    unit = tmp_path / "unit.c"
    unit.write_text(f'#include "{stem(path)}.h"\n#include "{stem(path)}.h"\nextern int unused;\n')
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
