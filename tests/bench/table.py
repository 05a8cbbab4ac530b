# SPDX-License-Identifier: MIT
"""Medians, Markdown tables, and the parts of BENCHMARKS.md that `make bench` writes."""
import re
import statistics


def median(values):
    return statistics.median(values)


def percentile(values, share):
    """The nearest-rank percentile, share from 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def figure(values, digits=1):
    """Median and spread: `12.3 (11.9-13.0)`."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low}-{high})"


def markdown(header, rows):
    """A Markdown table; every column except the first is right-aligned."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def goal(text, value, limit, at_least, digits=2):
    """A row of a table of goals; the reader sees by how much a goal is missed or exceeded."""
    met = value >= limit if at_least else value <= limit
    sign = ">=" if at_least else "<="
    return [text, f"{sign} {limit:g}", f"{value:.{digits}f}", "yes" if met else "**no**"]


GOAL_HEADER = ["goal", "limit", "measured", "met"]


def replace_section(document, name, text):
    """The document with the text between the markers of that name replaced."""
    pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.S)
    if not pattern.search(document):
        raise ValueError(f"no markers for {name}")
    return pattern.sub(lambda found: f"{found[1]}{text}{found[2]}", document)
