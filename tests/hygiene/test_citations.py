# SPDX-License-Identifier: MIT
"""What a comment or a document cites is in the repository: doc/rules.md#risk names a file and one of its headings."""
import re

import pytest

from sources import ROOT, files, name

CITATION = re.compile(r"\b(doc/[a-z/_-]+\.md|redis/KEYS\.md|HACKING\.md)(?:#([a-z0-9-]+))?")
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([a-z0-9-]+))?\)")
# Documents of an earlier design, which are not in the repository.
FOREIGN = re.compile(r"\b(ui|reliability|domain-rules|[Cc]ontract|design|style) \d+(\.\d+)*\b|\b(ui|reliability|domain-rules|design|style|upstream-contract)\.md\b")


def anchors(path):
    """The anchors that GitHub makes from headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def broken(text, folder):
    """The citations without a target in the text of a file in `folder`."""
    found = [(ROOT / file, anchor, file) for file, anchor in CITATION.findall(text)]
    found += [(folder / file, anchor, file) for file, anchor in LINK.findall(text) if file.endswith(".md")]
    return [f"{file}#{anchor}" for path, anchor, file in found if not path.is_file() or (anchor and anchor not in anchors(path))]


def is_prose(path):
    return path.suffix in (".c", ".h", ".py", ".lua", ".md", ".js", ".css", ".in", ".conf", ".sh", ".am", ".5", ".7", ".8")


@pytest.mark.parametrize("path", [p for p in files() if is_prose(p)], ids=name)
def test_citations_have_a_target(path):
    text = path.read_text()
    assert not broken(text, path.parent)
    assert not FOREIGN.search(text), FOREIGN.search(text).group()


def test_a_planted_citation_is_found():
    rules = "doc/rules.md"
    assert broken(f"see {rules}#no-such-rule", ROOT) == [f"{rules}#no-such-rule"]
    assert broken("see doc/" + "nothing.md", ROOT) == ["doc/" + "nothing.md#"]
    assert not broken(f"see {rules}#risk", ROOT)
