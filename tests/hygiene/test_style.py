# SPDX-License-Identifier: MIT
"""The style sheets: nothing in them is unused, and sizes are those of the scales at the head of style.css."""
import re

import pytest
from sources import ROOT

SHEETS = sorted((ROOT / "nginx" / "static").glob("*.css"))
# Names that the program makes of a word and another part; those of uPlot.
MADE = ("sev-", "shade-", "no-", "u-")
SPACES = {0, 0.125, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3}  # rem
ROOM = {4.5, 5, 13}  # below the text of a page for what lies over it, in rem


def rules(sheet):
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    return re.findall(r"([^{}]*)\{([^{}]*)\}", text)


def words():
    """All words in the strings of the programs, and in the texts."""
    found = set()
    for path in [*ROOT.glob("src/**/*.c"), *ROOT.glob("nginx/static/*.js")]:
        for string in re.findall(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`', path.read_text()):
            found.update(re.findall(r"[\w-]+", string))
    for path in ROOT.glob("src/text/*.html"):
        found.update(re.findall(r"[\w-]+", path.read_text()))
    return found


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_name_is_written_by_a_page(sheet):
    known = words()
    names = {name for selector, _ in rules(sheet) for name in re.findall(r"[.#]([a-z][\w-]*)", selector)}
    assert names
    assert sorted(name for name in names if name not in known and not name.startswith(MADE)) == []


def declarations(sheet, pattern):
    return [(name, value) for _, body in rules(sheet) for name, value in re.findall(rf"(?<![\w-])({pattern}):([^;}}]*)", body)]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sizes_of_type_are_on_the_scale(sheet):
    """Relative to the window on a wall screen, for which the root's size is set."""
    for _, value in declarations(sheet, "font-size|font"):
        assert not re.search(r"\d(rem|px)", value) or value.strip() == "11px", value  # the root's, on paper


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_spaces_are_on_the_scale(sheet):
    for name, value in declarations(sheet, r"(?:padding|margin|gap)(?:-\w+)?"):
        for size in re.findall(r"(-?[\d.]+)rem", value):
            assert abs(float(size)) in SPACES | ROOM, f"{name}: {value}"
