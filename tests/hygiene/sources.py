# SPDX-License-Identifier: MIT
"""The source tree for the hygiene tests: files by kind, without what a build leaves there."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIRECTORIES = (".ci", "debian", "doc", "include", "m4", "nginx", "prometheus", "redis", "scripts", "src", "systemd", "tests")
TEXT = {".am", ".ac", ".acl", ".c", ".conf", ".css", ".h", ".html", ".in", ".inc", ".js", ".lua", ".m4", ".md", ".mk"}
TEXT |= {".py", ".service", ".sh", ".socket", ".svg", ".target", ".txt", ".yml", ".5", ".7", ".8"}


def files():
    """All our text files; not the recorded payloads, not what configure generates at the top level."""
    found = [p for d in DIRECTORIES for p in (ROOT / d).rglob("*") if p.is_file() and is_ours(p)]
    found += [p for p in ROOT.iterdir() if p.is_file() and p.suffix in TEXT and p.name not in GENERATED]
    return sorted(found)


GENERATED = {"Makefile.in", "config.h", "config.h.in", "aclocal.m4"}


def is_ours(path):
    return "__pycache__" not in path.parts and "payloads" not in path.parts and (path.suffix in TEXT or is_script(path))


def is_script(path):
    with open(path, "rb") as file:
        return re.match(rb"#!\s*/(usr/)?bin/(env )?(ba)?sh\b", file.readline()) is not None


def scripts():
    return [p for p in files() if is_script(p)]


def c_files():
    return [p for p in files() if p.suffix in (".c", ".h")]


def name(path):
    """The id of a parametrised test."""
    return str(path.relative_to(ROOT))


def code_only(text):
    """C without comments and with empty strings; line numbers stay."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        token = match.group()
        return token[0] * 2 if token[0] in "\"'" else "\n" * token.count("\n")

    return pattern.sub(blank, text)
