#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Breaks the program in one place at a time and tells which breaks no test notices.

    tests/mutation/mutate.py [--count 200] [--seed 1] [--room fleet] [--file cache.c] [--build DIR]
    tests/mutation/mutate.py --again PRINTED [--integration]

A mutation changes one operator, number, truth value or step in one line of src. First each unit program runs without a
mutation, which shows the lines that it reaches; then each mutation is tried against the programs that reach its line. 200 take
a quarter of an hour on two free cores. Prints the survivors as they are found, and their share.

--again tries the survivors in a file that an earlier run printed, if their lines are unchanged; with --integration against the
integration tests that can reach their room and those about their subject, which takes a minute or more each, in place of the unit programs. equivalent.txt lists
mutations whose effect nobody can see, with the reason; they are not counted, nor are those from which the compiler makes the same
program.

Needs a build for the generated headers. Works on copies of them and of the sources, which may be edited and built meanwhile.
"""
import argparse
import json
import os
import pathlib
import random
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "hygiene"))
from sources import code_only  # noqa: E402

PROGRAMS = {"demo"}
# TLS is not in every build, and no unit program uses it. What tft-fetch reads and writes is only seen by integration tests.
LEFT_OUT = {"store/tls.c", "fetch/main.c"}
PACKAGES = ["libcurl", "hiredis", "json-c", "zlib", "inih", "libxxhash", "cmocka"]
if subprocess.run(["pkg-config", "--exists", "hiredis_ssl"]).returncode == 0:
    PACKAGES += ["hiredis_ssl", "libssl", "libcrypto"]
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# A mutation may make a program send signals to other processes.
ALONE = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
if os.geteuid() == 0:
    ALONE |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
SAME = object()  # noticed by nobody, since the compiler makes the same of it
SECONDS = 600  # for one unit program without a mutation

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
    ("if to if not", r"\bif \((.*)\)$", r"if (!(\1))"),
    ("true to false", r"\btrue\b", "false"),
    ("false to true", r"\bfalse\b", "true"),
    ("n to n + 1", r"(?<![\w.\"'x\[-])([1-9]\d*)(?![\w.x\]])", None),
    ("return 0 to -1", r"\breturn 0;", "return -1;"),
]
# The unit programs that use most of a room.
NEAR = {
    "cache": ("test_cache", "test_commit", "test_archive", "test_notes"),
    "refresh": ("test_refresh", "test_upstream"),
    "server": ("test_serve", "test_conns"),
    "fleet": ("test_golden", "test_snapshot", "test_decode"),
    "pages": ("test_pages", "test_api", "test_golden_plans"),
}
# The integration tests that can reach a room, those that take seconds first.
INTEGRATION = {
    "base": "0110_golden_api 0700_access 0400_upstream_answers 0600_http",
    "store": "0210_verdicts 0540_fleets 0520_sentinel 0500_redis_faults",
    "fleet": "0110_golden_api 0140_history 0180_silent 1600_moments 1650_changes",
    "pages": "0110_golden_api 0140_history 0150_server_pages 0170_openapi 1650_changes",
    "cache": "0210_verdicts 0540_fleets 0140_history 0160_actions 0530_protocol",
    "refresh": "0210_verdicts 0850_fetch 0400_upstream_answers 0160_actions 0310_hosts",
    "fetch": "0850_fetch 0400_upstream_answers",
    "server": "0190_served 0210_verdicts 0650_copies 0160_actions 0800_processes 0600_http",
    "top": "0700_access 0840_starts 0800_processes 0810_operation",
}
# For files about one subject, those about it.
SUBJECTS = {
    "accuracy": "1700_accuracy 1710_accuracy_page",
    "alert": "1800_alerts 1820_readback",
    "archive": "1690_parts 1670_archive",
    "firing": "1800_alerts",
    "incidents": "1660_incidents",
    "moment": "1600_moments",
    "readback": "1820_readback",
    "silen": "1830_silences",
    "told": "1820_readback",
    "trail": "1720_foretold",
    "warnings": "1730_warnings",
    "watch": "1730_warnings",
}
# What only a call that fails can show.
FAILING = "0610_failing_calls"
INTEGRATION_SECONDS = 600  # for all tests of a room; a mutation that makes them last longer is noticed


def source_files():
    found = (ROOT / "src").rglob("*.c")
    return sorted(p for p in found if not PROGRAMS & set(p.relative_to(ROOT / "src").parts))


def inside_src(path):
    return str(path.relative_to(ROOT / "src"))


def room(path):
    parts = path.relative_to(ROOT / "src").parts
    return parts[0] if len(parts) > 1 else "top"


def replacement(match, text):
    return str(int(match.group(1)) + 1) if text is None else match.expand(text)


def outside_strings(line):
    """The line with blanks for its strings, and for what no change can break: sizes of buffers, where one more byte is
    not a fault, the choice between two equal numbers, the size of a sign, and the form of no page. (An error of -1 may as well be
    -2: see OPERATORS.)"""
    line = re.sub(r'"(\\.|[^"\\])*"', lambda m: '"' + " " * (len(m.group()) - 2) + '"', line)
    # Also where the second number is the result of another such choice.
    choice = r"[<>](?= (\S+) \? (?:(?:\(\w+\))?{0} : \1(?!\w)|\1 : (?:\(\w+\))?{0}(?!\w)))"
    for left in set(re.findall(r"(\S+) [<>] ", line)):
        line = re.sub(rf"(?<={re.escape(left)} )" + choice.format(re.escape(left)), " ", line)
    for unbroken in ("NULL, false", "? -1 : 1;", "? 1 : -1;"):
        line = line.replace(unbroken, " " * len(unbroken))
    size = r"\bcalloc\(.*|\bbuf_init\(.*|^\s*(?!return)(static )?(const )?(struct )?\w+ \*?\w+\[[^=]*;$"
    return re.sub(size, lambda m: " " * len(m.group()), line)


def mutations(path):
    """All mutations of a file: (path, line number, name, column, the line after it)."""
    text = path.read_text()
    depth = 0
    for number, (line, bare) in enumerate(zip(text.split("\n"), code_only(text).split("\n")), 1):
        inside = depth > 0
        depth += bare.count("{") - bare.count("}")
        if not inside or bare.lstrip().startswith(("#", "case ", "static_assert", "assert")) or bare != line:
            continue
        for name, pattern, to in OPERATORS:
            for match in re.finditer(pattern, outside_strings(line)):
                yield path, number, name, match.start(), line[: match.start()] + replacement(match, to) + line[match.end() :]


def mutant(mutation):
    """The text of the file with the mutation."""
    path, number, _, _, line = mutation
    lines = path.read_text().split("\n")
    lines[number - 1] = line
    return "\n".join(lines)


def compiler():
    flags = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True, check=True).stdout.split()
    return ["gcc", "-std=c11", "-w", *flags]


def libraries():
    found = subprocess.run(["pkg-config", "--libs", *PACKAGES], capture_output=True, text=True, check=True).stdout.split()
    return [*found, "-lfcgi", "-lm"]


class Program:
    """A unit program: its source, the files of src that it includes, and the results of a run without a mutation: the lines that it
    reaches, and how long it takes."""

    def __init__(self, source):
        self.source, self.included = source, set(re.findall(r'#include "../../src/(.*)"', source.read_text()))
        self.binary, self.reached, self.files, self.seconds = None, set(), set(), SECONDS

    def reaches(self, path, line):
        """2: this line; 1: this file, as for tables and for code that runs in a child that is killed."""
        return 2 if (str(path), line) in self.reached else int(str(path) in self.files)

    def passes(self, binary, directory, *variables):
        """The limit is in processor time, so that a busy machine is not taken for a failure; the other one ends endless waits."""
        command = ["prlimit", f"--cpu={self.seconds}", "env", f"srcdir={ROOT}", "LC_ALL=C.UTF-8", *variables, binary]
        try:
            return subprocess.run(command, cwd=directory, timeout=10 * self.seconds, **ALONE).returncode == 0
        except subprocess.TimeoutExpired:
            return False


class Bench:
    """The sources as a shared library, and the unit programs linked with it. A lane is a directory for one mutation at a
    time."""

    def __init__(self, build, directory, lanes):
        self.directory = directory
        self.libs = libraries()
        includes = [f"-I{p}" for p in (ROOT / "include", build, build / "gen", build / "assets", ROOT / "src" / "fetch")]
        self.plain = [*compiler(), "-O2", *includes]
        # Only the sanitizer notices a byte too far.
        self.cc = [*compiler(), "-O0", *SANITIZE, "-fPIC", *includes]
        self.objects = {path: directory / (inside_src(path).replace("/", "-") + ".o") for path in source_files()}
        self.lanes = queue.SimpleQueue()
        for i in range(lanes):
            (directory / str(i) / "src").mkdir(parents=True)
            (directory / str(i) / "tests" / "unit").mkdir(parents=True)
            # Where counts cannot be written, the program says so on an output that tests read.
            (directory / str(i) / "counts").mkdir()
            (directory / str(i) / "counts").chmod(0o777)
            self.lanes.put(directory / str(i))
        self.programs = [Program(source) for source in sorted((ROOT / "tests" / "unit").glob("test_*.c"))]
        with ThreadPoolExecutor(lanes) as pool:
            assert all(pool.map(lambda job: self.compiles(*job, "--coverage"), self.objects.items()))
            objects = [obj for path, obj in self.objects.items() if path.name != "main.c"]
            self.link(directory / "libtft.so", "--coverage", *objects, *self.libs)
            list(pool.map(self.measure, self.programs))

    def compiles(self, source, out, *options):
        command = [*self.cc, *options, "-c", "-o", out, source]
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0

    def link(self, out, *objects):
        subprocess.run(["gcc", "-shared", *SANITIZE, f"-Wl,-soname,{out.name}", "-o", out, *objects], check=True)

    def build(self, source, where):
        out = where / source.stem
        library = self.directory / "libtft.so"
        subprocess.run([*self.cc, f"-I{ROOT / 'tests' / 'unit'}", "-o", out, source, library, *self.libs], check=True)
        return out

    def measure(self, program):
        """Builds it and runs it once without a mutation."""
        program.binary = self.build(program.source, self.directory)
        counts = self.directory / "reached" / program.source.stem
        counts.mkdir(parents=True)
        counts.chmod(0o777)
        began = time.monotonic()
        passes = program.passes(program.binary, self.directory, f"LD_LIBRARY_PATH={self.directory}", f"GCOV_PREFIX={counts}")
        assert passes, f"{program.source.stem} fails without a mutation"
        program.seconds = int(5 + 3 * (time.monotonic() - began))
        program.reached = self.reached(counts / self.directory.relative_to("/"))
        program.files = {file for file, _ in program.reached}

    def reached(self, counts):
        """(file, line) pairs; none for a program that clears its environment, which says where to write the counts."""
        if not counts.exists():
            return set()
        for notes in self.directory.glob("*.gcno"):
            (counts / notes.name).symlink_to(notes)
        command = ["gcov", "--json-format", "--stdout", *sorted(counts.glob("*.gcda"))]
        told = subprocess.run(command, cwd=counts, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        files = [file for told_of_one in told.splitlines() for file in json.loads(told_of_one)["files"]]
        return {(file["file"], line["line_number"]) for file in files for line in file["lines"] if line["count"]}

    def order(self, path, line):
        """The programs that can notice a change of this line, the likely ones first."""
        near = NEAR.get(room(path), ())
        name = inside_src(path)
        reach = max(p.reaches(path, line) for p in self.programs)
        best = [p for p in self.programs if name in p.included or not p.reached or p.reaches(path, line) == reach]
        return sorted(best, key=lambda p: (name not in p.included, path.stem not in p.source.stem, p.source.stem not in near, p.seconds))

    def with_mutant(self, lane):
        """The mutated object takes precedence over the library. The process has both, which the sanitizer reports otherwise."""
        asan = "ASAN_OPTIONS=verify_asan_link_order=0:detect_odr_violation=0"
        return f"LD_LIBRARY_PATH={self.directory}", f"LD_PRELOAD={lane / 'mutant.so'}", asan, f"GCOV_PREFIX={lane / 'counts'}"

    def noticed(self, path, line, lane):
        """The name of the first unit program that fails; None: none does."""
        for program in self.order(path, line):
            binary = program.binary
            # What a program includes is not taken from the library.
            if inside_src(path) in program.included:
                shutil.copy(program.source, lane / "tests" / "unit")
                binary = self.build(lane / "tests" / "unit" / program.source.name, lane)
            if not program.passes(binary, lane, *self.with_mutant(lane)):
                return program.source.stem
        return None

    def is_same(self, path, changed):
        """Whether an optimizing compiler makes the same of both."""
        def made(source):
            as_one = f"-ffile-prefix-map={source.parent}=."
            return subprocess.run([*self.plain, as_one, "-S", "-o", "-", source], check=True, stdout=subprocess.PIPE).stdout

        return made(path) == made(changed)

    def try_out(self, mutation):
        lane = self.lanes.get()
        try:
            path, line = mutation[:2]
            changed, obj = lane / "src" / path.relative_to(ROOT / "src"), lane / "mutant.o"
            changed.parent.mkdir(exist_ok=True)
            changed.write_text(mutant(mutation))
            if not self.compiles(changed, obj):
                return "the compiler"
            self.link(lane / "mutant.so", obj)
            return self.noticed(path, line, lane) or (SAME if self.is_same(path, changed) else None)
        finally:
            self.lanes.put(lane)


class Stack:
    """The program as it is installed, for the integration tests: a build in the copy of the sources."""

    def __init__(self):
        self.build = ROOT / "out"
        self.build.mkdir()
        subprocess.run(["./autogen.sh"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["../configure", "--enable-fault-hooks"], cwd=self.build, check=True, stdout=subprocess.DEVNULL)
        self.sound = {}

    def made(self):
        command = ["make", "-j2", "all", "tests/integration/commits", "tests/unit/test_accuracy"]
        return subprocess.run(command, cwd=self.build, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def passes(self, name):
        file = f"tests/{'counting' if name == FAILING else 'integration'}/test_t{name}.py"
        command = ["timeout", "-k", "20", str(INTEGRATION_SECONDS), "/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", file]
        env = {**os.environ, "TFT_BUILD": str(self.build)}
        return subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def tests(self, path):
        """Those of a room and of a subject that pass without a mutation, on this machine."""
        subjects = [tests for subject, tests in SUBJECTS.items() if subject in path.stem]
        names = [*dict.fromkeys(" ".join([INTEGRATION[room(path)], *subjects]).split()), FAILING]
        for test in names:
            if test not in self.sound:
                assert self.made(), "it cannot be built"
                self.sound[test] = self.passes(test)
                if not self.sound[test]:
                    print(f"left out, since it fails without a mutation: test_t{test}.py", file=sys.stderr, flush=True)
        return [test for test in names if self.sound[test]]

    def try_out(self, mutation):
        """The name of the first file of tests that fails, twice, since a busy machine makes some fail; None: none does."""
        path = mutation[0]
        tests, original = self.tests(path), path.read_text()
        path.write_text(mutant(mutation))
        try:
            if not self.made():
                return "the compiler"
            return next((f"test_t{name}" for name in tests if not self.passes(name) and not self.passes(name)), None)
        finally:
            path.write_text(original)


def label(mutation):
    path, number, name, column, _ = mutation
    line = path.read_text().split("\n")[number - 1]
    return f"{path.relative_to(ROOT)}: {line.strip()} | {name} at {column - (len(line) - len(line.lstrip()))}"


def listed(name):
    lines = (HERE / name).read_text().splitlines()
    return {line.split(" -- ")[0].strip() for line in lines if line and not line.startswith("#")}


def copy_of_sources(directory):
    """A copy of the tree without builds, so that the tree may be edited during a run."""
    copy = directory / "tree"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "run", "node_modules", "*.o", "*.a"))
    return copy


def copy_of_headers(build, directory):
    """Of what configure and make have generated."""
    copy = directory / "generated"
    for name in ("gen", "assets"):
        shutil.copytree(build / name, copy / name)
    shutil.copy(build / "config.h", copy)
    return copy


def choose(options):
    chosen = [p for p in source_files() if options.room in (None, room(p)) and options.file in (None, p.name) and inside_src(p) not in LEFT_OUT]
    sites = [m for path in chosen for m in mutations(path)]
    drawn = random.Random(options.seed).sample(sites, min(options.count, len(sites)))
    if options.again:
        again = set(options.again.read_text().splitlines())
        return sites, [m for m in sites if "survived: " + label(m) in again]
    equivalent = listed("equivalent.txt")
    return sites, [m for m in drawn if label(m) not in equivalent]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room")
    parser.add_argument("--file")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", type=pathlib.Path, metavar="PRINTED", help="try the survivors that an earlier run printed")
    parser.add_argument("--integration", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "test" / "obj")
    return parser.parse_args()


def try_all(chosen, results):
    """Prints the survivors as they are found. The number of them, and of all that change the program."""
    survivors, changes = 0, len(chosen)
    for tried, (mutation, noticed) in enumerate(zip(chosen, results), 1):
        if tried % 20 == 0:
            print(f"{tried} of {len(chosen)} tried", file=sys.stderr, flush=True)
        if noticed is None:
            survivors += 1
            print("survived:", label(mutation), flush=True)
        elif noticed == SAME:
            changes -= 1
            print("changes nothing:", label(mutation), file=sys.stderr, flush=True)
        else:
            print(f"noticed by {noticed}:", label(mutation), file=sys.stderr, flush=True)
    return survivors, changes


def try_units(options, chosen, directory):
    bench = Bench(copy_of_headers(options.build.resolve(), directory), directory, options.jobs)
    unchanged = (chosen[0][0], 1, "none", 0, chosen[0][0].read_text().split("\n")[0])
    assert bench.try_out(unchanged) is SAME, "a mutation that changes nothing is noticed"
    with ThreadPoolExecutor(options.jobs) as pool:
        return try_all(chosen, pool.map(bench.try_out, chosen))


def main():
    global ROOT
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        ROOT = copy_of_sources(directory)
        sites, chosen = choose(options)
        if not chosen:
            sys.exit("there is nothing to try")
        began = time.monotonic()
        if options.integration:
            survivors, changes = try_all(chosen, map(Stack().try_out, chosen))
        else:
            survivors, changes = try_units(options, chosen, directory)
    share, each = 100 * survivors / changes, (time.monotonic() - began) / len(chosen)
    print(f"{survivors} of {changes} survived ({share:.1f} %), seed {options.seed}, {len(sites)} possible, {each:.1f} s each")


if __name__ == "__main__":
    main()
