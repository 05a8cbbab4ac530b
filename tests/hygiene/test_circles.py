# SPDX-License-Identifier: MIT
"""No circles: neither do headers include each other, nor do sources call each other, over any number of steps."""
import os
import pathlib
import subprocess

from sources import ROOT, name
from test_layers import HEADERS, SOURCES, includes, room, stem, upward

BUILD = pathlib.Path(os.environ.get("TFT_BUILD", ROOT / "build" / "test" / "obj"))


def symbols(object_file):
    """(defined, used) global symbols."""
    defined, used = set(), set()
    for line in subprocess.run(["nm", object_file], capture_output=True, text=True, check=True).stdout.splitlines():
        kind, symbol = line.split()[-2:]
        if kind in "TDRBC":
            defined.add(symbol)
        elif kind == "U":
            used.add(symbol)
    return defined, used


def calls():
    """{file: files whose functions or data it uses}, read from the objects of the build."""
    tables = {stem(path): symbols(BUILD / path.relative_to(ROOT).with_suffix(".o")) for path in SOURCES}
    home = {symbol: file for file, (defined, _) in tables.items() for symbol in defined}
    return {file: {home[s] for s in used if s in home} - {file} for file, (_, used) in tables.items()}


def inclusions():
    known = {stem(path) + ".h": stem(path) for path in HEADERS}
    return {stem(path): {known[h] for h in includes(path) if h in known} - {stem(path)} for path in HEADERS}


def reached(graph, start):
    found, waiting = set(), [start]
    while waiting:
        for file in graph.get(waiting.pop(), ()):
            if file not in found:
                found.add(file)
                waiting.append(file)
    return found


def circle(graph):
    return sorted(file for file in graph if file in reached(graph, file))


def test_no_circle_of_headers():
    assert not circle(inclusions())


def test_no_circle_of_calls():
    graph = calls()
    assert len(graph["main"]) > 3, "the objects were not read"
    assert not circle(graph)


def test_a_planted_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]


def test_an_include_upward_is_found(monkeypatch):
    path = ROOT / "src" / "base" / "buf.c"
    monkeypatch.setattr("test_layers.includes", lambda _: ["pages/table.h", "base/span.h"])
    assert room(stem(path)) == "base" and upward(path) == ["pages/table.h"], name(path)
