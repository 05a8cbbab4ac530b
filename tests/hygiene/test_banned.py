# SPDX-License-Identifier: MIT
"""What must not be in the tree: dangerous functions, unformatted code, careless scripts, traces of a machine."""
import re
import subprocess

import pytest

from sources import c_files, code_only, files, name, scripts

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|setlocale)\s*\(")
# Only the argv form handles foreign bytes safely; %s splits at blanks.
REDIS_FORMAT = re.compile(r"\bredis(Append)?Command\s*\(")

# One spelling of each: `!p` for a pointer that is NULL, and the macro of <assert.h>.
SPELLING = re.compile(r"== NULL\b|\bNULL ==|\b_Static_assert\b")

# Split, because this file is searched as well.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("golang", "org"),
        ("deb.debian", "org"),
        ("maven", "org"),
        ("docker", "io"),
    )
]
MACHINE_PATHS = re.compile(r"(?<![\w}$.])/(?:" + "|".join(("work/", r"home/\w", r"Users/\w", r"root/\w")) + ")")


def is_of_the_program(path):
    """Sources and headers, except those of the simulated upstream, which uses no code of the program."""
    return name(path).startswith(("src/", "include/")) and not name(path).startswith("src/demo/")


def hits(path, pattern, text):
    return [f"{name(path)}:{n}: {line.strip()}" for n, line in enumerate(text.split("\n"), 1) if pattern.search(line)]


@pytest.mark.parametrize("path", c_files(), ids=name)
def test_no_banned_function(path):
    code = code_only(path.read_text())
    assert not hits(path, BANNED, code)
    assert not hits(path, REDIS_FORMAT, code)
    assert "fcgi_stdio" not in path.read_text()


def test_the_banned_list_bites():
    assert BANNED.search("n = atoi(text);") and BANNED.search("sprintf (a, b)")
    assert not BANNED.search("snprintf(a, n, b)") and not BANNED.search("strtok_r(a, b, &c)")


@pytest.mark.parametrize("path", [p for p in c_files() if is_of_the_program(p)], ids=name)
def test_conditions_and_static_asserts_have_one_spelling(path):
    assert not hits(path, SPELLING, code_only(path.read_text()))


def test_the_spelling_bites():
    assert SPELLING.search("if (p == NULL)") and SPELLING.search('_Static_assert(1, "");')
    assert not SPELLING.search("return rule != NULL;") and not SPELLING.search('static_assert(1, "");')


def test_no_package_registry_is_named():
    pattern = re.compile("|".join(map(re.escape, REGISTRIES)), re.I)
    assert not [hit for path in files() for hit in hits(path, pattern, path.read_text())]


def test_no_path_of_a_developers_machine():
    assert not [hit for path in files() for hit in hits(path, MACHINE_PATHS, path.read_text())]


@pytest.mark.parametrize("path", [p for p in files() if p.suffix in (".c", ".h", ".py", ".sh")], ids=name)
def test_licence_is_stated_in_the_first_lines(path):
    assert "SPDX-License-Identifier: MIT" in "".join(path.read_text().splitlines(True)[:2])


@pytest.mark.parametrize("path", scripts(), ids=name)
def test_shellcheck_has_no_remark(path):
    result = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", path], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


FORMATTER = "14"  # each version formats a few lines in its own way; this one decides


def test_every_c_file_is_formatted():
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=True).stdout
    if f" version {FORMATTER}." not in version:
        pytest.skip(f"the layout is that of clang-format {FORMATTER}; here is: {version.strip()}")
    command = ["clang-format", "--dry-run", "--Werror", "--style=file", *c_files()]
    result = subprocess.run(command, capture_output=True, text=True)
    bad = sorted(set(re.findall(r"^(\S+?):\d+:", result.stderr, re.M)))
    assert result.returncode == 0, bad
