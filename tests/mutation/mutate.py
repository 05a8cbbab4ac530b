#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Breaks the program in one place at a time and tells which breaks no test notices.

    tests/mutation/mutate.py [--count 200] [--seed 1] [--room fleet] [--integration] [--build DIR]

A mutation changes one operator, one number, one truth or one step of one line of src. It is tried against the unit programs, which are linked
with the sources as a shared library, so that a try costs seconds. With --integration those that survive are also tried against the integration
tests of their room (INTEGRATION), which costs minutes each. equivalent.txt lists mutations that change nothing anybody could see, with the
reason; they are not counted. Prints the survivors and their share. Needs a configured build for the generated headers; changes no source.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "hygiene"))
from sources import code_only  # noqa: E402

PROGRAMS = {"demo", "fetch"}
PACKAGES = ("hiredis", "json-c", "zlib", "inih", "libxxhash", "cmocka")
SECONDS = 60  # for one unit program; a mutation may make it run for ever

# (name, pattern, replacement): each match in a line of code is one mutation.
OPERATORS = [
    ("< to <=", r"(?<![<=\-])<(?![<=])", "<="),
    ("<= to <", r"<=", "<"),
    ("> to >=", r"(?<![>\-=])>(?![>=])", ">="),
    (">= to >", r">=", ">"),
    ("== to !=", r"==", "!="),
    ("!= to ==", r"!=", "=="),
    ("&& to ||", r"&&", "||"),
    ("|| to &&", r"\|\|", "&&"),
    ("+ to -", r"(?<=[\w)\]] )\+(?= [\w(])", "-"),
    ("- to +", r"(?<=[\w)\]] )-(?= [\w(])", "+"),
    ("* to /", r"(?<=[\w)\]] )\*(?= [\w(])", "/"),
    ("if to if not", r"\bif \((?=.*\)$)", "if (!"),
    ("true to false", r"\btrue\b", "false"),
    ("false to true", r"\bfalse\b", "true"),
    ("n to n + 1", r"(?<![\w.\"'x])([1-9]\d*)(?![\w.x])", None),
    ("return 0 to -1", r"\breturn 0;", "return -1;"),
]
# What the integration tests of a room are: the files that meet it most.
INTEGRATION = {
    "store": "test_t0500_redis_faults.py",
    "cache": "test_t0210_verdicts.py test_t0500_redis_faults.py test_t0310_hosts.py",
    "refresh": "test_t0210_verdicts.py test_t0400_upstream_answers.py test_t0850_fetch.py test_t0160_actions.py",
    "server": "test_t0600_http.py test_t0190_served.py test_t0160_actions.py test_t0800_processes.py",
    "pages": "test_t0110_golden_api.py test_t0140_history.py test_t0150_server_pages.py",
    "fleet": "test_t0110_golden_api.py test_t0180_silent.py",
    "base": "test_t0600_http.py",
    "top": "test_t0840_starts.py test_t0090_scripts.py",
}


def source_files():
    return sorted(p for p in (ROOT / "src").rglob("*.c") if not PROGRAMS & set(p.relative_to(ROOT / "src").parts))


def room(path):
    parts = path.relative_to(ROOT / "src").parts
    return parts[0] if len(parts) > 1 else "top"


def replacement(match, text):
    return str(int(match.group(1)) + 1) if text is None else text


def mutations(path):
    """All of a file: (path, line number, name, column, the line after it)."""
    lines = path.read_text().split("\n")
    depth = 0
    for number, (line, bare) in enumerate(zip(lines, code_only(path.read_text()).split("\n")), 1):
        inside = depth > 0
        depth += bare.count("{") - bare.count("}")
        if not inside or bare.lstrip().startswith(("#", "case ", "static_assert", "assert")) or bare != line:
            continue
        for name, pattern, text in OPERATORS:
            for match in re.finditer(pattern, line):
                yield path, number, name, match.start(), line[: match.start()] + replacement(match, text) + line[match.end() :]


class Bench:
    """The sources as a shared library, and the unit programs over it."""

    def __init__(self, build, directory):
        self.build, self.directory = build, directory
        flags = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True, check=True).stdout.split()
        self.libs = subprocess.run(["pkg-config", "--libs", *PACKAGES], capture_output=True, text=True, check=True).stdout.split()
        self.libs += ["-lfcgi", "-lm"]
        includes = [f"-I{p}" for p in (ROOT / "include", build, build / "gen", build / "assets")]
        self.cc = ["gcc", "-std=c11", "-O0", "-fPIC", "-w", *includes, *flags]
        self.objects = {path: directory / (str(path.relative_to(ROOT / "src")).replace("/", "-") + ".o") for path in source_files()}
        for path, obj in self.objects.items():
            subprocess.run([*self.cc, "-c", "-o", obj, path], check=True)
        self.library = directory / "libtft.so"
        self.link({})
        self.programs = [self.program(path) for path in sorted((ROOT / "tests" / "unit").glob("test_*.c"))]

    def link(self, changed):
        objects = [changed.get(path, obj) for path, obj in self.objects.items() if path.name != "main.c"]
        subprocess.run(["gcc", "-shared", "-o", self.library, *objects, *self.libs], check=True)

    def program(self, path):
        out = self.directory / path.stem
        subprocess.run([*self.cc, f"-I{path.parent}", "-o", out, path, self.library, *self.libs, f"-Wl,-rpath,{self.directory}"], check=True)
        return path, out

    def order(self, path):
        """The programs that are likely to notice a change of this file come first."""
        return sorted(self.programs, key=lambda program: path.stem not in program[0].stem)

    def noticed(self, path):
        """The name of the first unit program that fails; None: none does."""
        env = {**os.environ, "srcdir": str(ROOT), "LC_ALL": "C.UTF-8"}
        for source, program in self.order(path):
            try:
                done = subprocess.run([program], env=env, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                return source.stem
            if done.returncode != 0:
                return source.stem
        return None

    def try_out(self, mutation):
        path, number, _, _, line = mutation
        lines = path.read_text().split("\n")
        lines[number - 1] = line
        mutant = self.directory / "mutant.c"
        mutant.write_text("\n".join(lines))
        obj = self.directory / "mutant.o"
        if subprocess.run([*self.cc, f"-I{path.parent}", "-c", "-o", obj, mutant], stderr=subprocess.DEVNULL).returncode != 0:
            return "the compiler"
        self.link({path: obj})
        return self.noticed(path)


def integration(mutation, build):
    """Whether the integration tests of the room notice it: in a copy of the sources, with a build of its own."""
    path, number, _, _, line = mutation
    copy = build.parent / "mutation-tree"
    if not copy.exists():
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "run", "*.o", "*.a"))
        (copy / "out").mkdir()
        subprocess.run(["../configure", "--enable-fault-hooks"], cwd=copy / "out", check=True, stdout=subprocess.DEVNULL)
    target = copy / path.relative_to(ROOT)
    lines = path.read_text().split("\n")
    lines[number - 1] = line
    target.write_text("\n".join(lines))
    try:
        if subprocess.run(["make", "-j2"], cwd=copy / "out", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            return True
        tests = [f"tests/integration/{name}" for name in INTEGRATION[room(path)].split()]
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        env = {**os.environ, "TFT_BUILD": str(copy / "out")}
        return subprocess.run(command, cwd=copy, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0
    finally:
        target.write_text(path.read_text())


def label(mutation):
    path, number, name, column, line = mutation
    original = path.read_text().split("\n")[number - 1].strip()
    return f"{path.relative_to(ROOT)}: {original} | {name} at {column - (len(path.read_text().split(chr(10))[number - 1]) - len(original))}"


def equivalents():
    lines = (HERE / "equivalent.txt").read_text().splitlines()
    return {line.split(" -- ")[0].strip() for line in lines if line and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room")
    parser.add_argument("--integration", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "test" / "obj")
    options = parser.parse_args()
    sites = [m for path in source_files() if options.room in (None, room(path)) for m in mutations(path)]
    known = equivalents()
    chosen = [m for m in random.Random(options.seed).sample(sites, min(options.count, len(sites))) if label(m) not in known]
    survivors = []
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(options.build.resolve(), pathlib.Path(directory))
        assert bench.noticed(source_files()[0]) is None, "the tests fail without a mutation"
        for mutation in chosen:
            if bench.try_out(mutation) is None and not (options.integration and integration(mutation, options.build.resolve())):
                survivors.append(mutation)
                print("survived:", label(mutation), flush=True)
    share = 100 * len(survivors) / len(chosen)
    print(f"{len(survivors)} of {len(chosen)} survived ({share:.1f} %), seed {options.seed}, {len(sites)} possible")


if __name__ == "__main__":
    main()
