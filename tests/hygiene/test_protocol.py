# SPDX-License-Identifier: MIT
"""The words that the scripts answer with are the ones that the workers know."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def answers(script):
    """The first words of everything that a script returns."""
    text = re.sub("--.*", "", (ROOT / f"redis/{script}.lua").read_text())
    return set(re.findall(r"return (?:\{|refuse\()'([\w-]+)'", text))


def source(path, start):
    """The text of a table in a C file."""
    return (ROOT / path).read_text().partition(start)[2].partition("};")[0]


def test_claims_are_answered_with_the_words_that_workers_know():
    table = source("src/cache/claim.c", "claim_answers[] = {")
    assert answers("claim") == set(re.findall(r'\{"(\w+)", CLAIM', table))


def test_commits_are_answered_with_the_words_that_workers_know():
    table = source("src/cache/commit.c", "commit_names[] = {")
    assert answers("commit") == set(re.findall(r'\[COMMIT_\w+\] = "([\w-]+)"', table)) - {"redis-down"}


def test_no_script_knows_a_word_or_limit_of_the_workers():
    reasons = re.findall(r'= \{"([a-z0-9-]+)"', source("src/fleet/condition.c", "reason_table[REASON_COUNT] = {"))
    limits = re.findall(r"#define PROTOCOL_\w+ +(\d{4,})", (ROOT / "include/cache/protocol.h").read_text())
    assert reasons and limits
    for path in (ROOT / "redis").glob("*.lua"):
        code = re.sub("--.*", "", path.read_text())
        found = [word for word in {*reasons, *limits, "warming"} - {"none"} if re.search(rf"\b{re.escape(word)}\b", code)]
        assert not found, f"{path.name} has {found}, which are to be its arguments"
