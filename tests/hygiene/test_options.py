# SPDX-License-Identifier: MIT
"""Options are defined once, as rows of src/settings.c and src/main.c; manuals and example file say the same and no more."""
import os
import pathlib
import re
import subprocess

import pytest

from sources import ROOT

BUILD = pathlib.Path(os.environ.get("TFT_BUILD") or ROOT).resolve()
MANUALS = [ROOT / "src" / "tft-dashboard.8", ROOT / "src" / "tft-dashboard.conf.5"]
CONSTANTS = {"SECONDS": 1000, "MINUTES": 60_000, "HOURS": 3_600_000, "MEBI": 1 << 20}
DURATIONS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
UNITS = {"DURATION": DURATIONS, "SIZE": {"m": 1 << 20, "g": 1 << 30}, "INTEGER": {"": 1}}
# What the manual calls the types.
WORDS = {"TEXT": "text", "ADDRESS": "text", "NODE": "text", "LEVEL": "text", "FORMAT": "text", "SECRET": "secret", "URL": "url"}
WORDS |= {"USERS": "text", "PREFIX": "text", "HOSTS": "text", "ROLE": "text", "URLS": "text", "SEVERITY": "text", "ORIGIN": "url", "LINK": "url", "PATH": "path"}
WORDS |= {"DURATION": "duration", "SIZE": "size", "INTEGER": "number", "FLAG": "flag"}


class Option:
    def __init__(self, section, key, env, kind, bounds, initial, text):
        self.section, self.key, self.kind, self.initial, self.help = section, key, kind, initial, text
        self.name = f"{section}.{key}"
        self.env = [] if env == "NULL" else [env.strip('"')]
        self.keys = [key]
        self.range = None
        if kind == "SECRET":
            self.env.append(self.env[0] + "_FILE")
            self.keys.append(key + "_file")
        if kind in UNITS:
            self.range = tuple(eval(bound.strip(" {}"), {"__builtins__": {}}, CONSTANTS) for bound in bounds.split(",")[-2:])


def read_table():
    text = (ROOT / "src" / "settings.c").read_text()
    table = re.search(r"static const struct option options\[\] = \{\n(.*?)\n\};", text, re.S).group(1)
    row = r'\{"(\w+)", "(\w+)", ("\w+"|NULL), VALUE_(\w+),\s*((?:AT|SOME|ANY)\(\w+\)[^"]*),\s*"([^"]*)",\s*"([^"]*)"\}'
    return [Option(*match.groups()) for match in re.finditer(row, table)]


OPTIONS = read_table()


def by_name(option):
    return option.name


def print_config(path, tmp_path):
    """{section.key: value} as the program sees it."""
    env = {"PATH": os.environ["PATH"], "TFT_NODE": "node"}
    command = [BUILD / "tft-dashboard", "-T", *(["-c", path] if path else [])]
    result = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return dict(re.match(r"(\S+) = (.*?)    # ", line).groups() for line in result.stdout.splitlines())


def example_entries():
    """(section, key, value, comment above it) of the example file."""
    section, comment, entries = None, [], []
    for line in (ROOT / "src" / "tft-dashboard.conf").read_text().splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header.group(1)
        elif setting := re.fullmatch(r"#(\w+) =(?: (.*))?", line):
            entries.append((section, setting.group(1), setting.group(2) or "", " ".join(comment)))
        elif line.startswith("# "):
            comment.append(line[2:])
        else:
            assert line == "", f"neither comment nor option: {line}"
            comment = []
    return entries


def manual_entries():
    """{(section, key): (type, text of the entry)} of tft-dashboard.conf(5)."""
    text = MANUALS[1].read_text()
    entries = {}
    for section, body in re.findall(r"^\.Ss Section \[(\w+)\]\n(.*?)^\.El$", text, re.S | re.M):
        keys = []
        for part in re.split(r"^\.It ", body, flags=re.M)[1:]:
            head, _, rest = part.partition("\n")
            key, kind = re.fullmatch(r"Cm (\w+) Ns = Ns Ar (\w+)", head).groups()
            keys.append((section, key, kind))
            if rest:
                plain = re.sub(r"^\.(Pq |Cm )?|\b(Ev|Li) ", "", rest, flags=re.M)
                entries |= {(s, k): (t, " ".join(plain.split())) for s, k, t in keys}
                keys = []
    return entries


def test_the_table_is_read_whole(tmp_path):
    """Otherwise the tests below would miss an option."""
    assert [option.name for option in OPTIONS] == list(print_config(None, tmp_path))


def test_the_example_has_every_option_and_no_other():
    expected = [(option.section, key) for option in OPTIONS for key in option.keys]
    assert [(section, key) for section, key, _, _ in example_entries()] == expected


@pytest.mark.parametrize("option", OPTIONS, ids=by_name)
def test_the_example_explains_the_option(option):
    comment = next(c for s, k, _, c in example_entries() if (s, k) == (option.section, option.key))
    assert comment.startswith(option.help)


def test_the_example_with_every_option_active_changes_nothing(tmp_path):
    entries = [entry for entry in example_entries() if not entry[1].endswith("_file")]
    lines = [f"[{section}]\n{key} = {value}\n" for section, key, value, _ in entries]
    active = tmp_path / "active.conf"
    active.write_text("".join(lines))
    assert print_config(active, tmp_path) == print_config(None, tmp_path)
    assert print_config(ROOT / "src" / "tft-dashboard.conf", tmp_path) == print_config(None, tmp_path)


def test_the_manual_has_every_option_and_no_other():
    assert set(manual_entries()) == {(option.section, key) for option in OPTIONS for key in option.keys}


@pytest.mark.parametrize("option", OPTIONS, ids=by_name)
def test_the_manual_agrees_with_the_table(option):
    kind, text = manual_entries()[option.section, option.key]
    assert kind == WORDS[option.kind]
    facts, _, rest = text.partition(f"default {option.initial or 'empty'} ")
    assert rest.startswith(option.help + ".")
    assert re.findall(r"TFT_\w+", facts) == option.env
    found = re.search(r"(\d+)(\w*) to (\d+)(\w*)", facts)
    if option.range is None:
        assert found is None
    else:
        low, low_unit, high, high_unit = found.groups()
        units = UNITS[option.kind]
        assert (int(low) * units[low_unit], int(high) * units[high_unit]) == option.range


def test_the_manual_has_every_variable_with_its_option():
    text = re.search(r"^\.Sh ENVIRONMENT\n(.*?)^\.El$", MANUALS[0].read_text(), re.S | re.M).group(1)
    listed = re.findall(r"^\.It Ev (.*)\n\.Cm (\w+)$", text, re.M)
    expected = [(" , ".join(option.env), option.key) for option in OPTIONS if option.env]
    assert listed == expected


def test_the_manual_has_every_command_line_option():
    source = (ROOT / "src" / "main.c").read_text()
    table = re.search(r"long_options\[\] = \{(.*?)\};", source, re.S).group(1)
    letters = re.search(r'getopt_long\(argc, argv, "([\w:]*)"', source).group(1).replace(":", "")
    options = re.findall(r'\{"([\w-]+)",\s*\w+,\s*NULL,\s*\'(\w)\'\}', table)
    assert {letter for _, letter in options if letter in letters} == set(letters)
    text = re.search(r"^The options are as follows:\n(.*?)^\.Sh", MANUALS[0].read_text(), re.S | re.M).group(1)
    listed = re.findall(r"^\.It Fl (?:(\w) , )?-([\w-]+)", text, re.M)
    assert listed == [(letter if letter in letters else "", name) for name, letter in options]


@pytest.mark.parametrize("path", sorted((ROOT / "src").glob("*.[1-9]")), ids=lambda path: path.name)
def test_mandoc_has_no_remark(path):
    result = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
