# SPDX-License-Identifier: MIT
"""Every page is well-formed XML, has unique ids, and contains no inline script or style, whatever the fleet looks like."""
import gzip
import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree

import pytest

from sources import ROOT

PAYLOADS = ROOT / "tests" / "data" / "payloads"
BINARY = pathlib.Path(os.environ.get("TFT_BUILD", ROOT)) / "tft-dashboard"
PAGES = ["overview", "overview?sev=healthy&sort=-dmem", "overview?q=%3Cscript%3E&view=kiosk", "overview?profile=risk"]
PAGES += ["heatmap", "heatmap?metric=memory&group=profile", "heatmap?sort=name&q=db&refresh=30", "heatmap?q=nothing"]
PAGES += ["top", "top?n=20", "top?profile=etl", "cost", "remediation", "alerting", "docs", "roadmap"]
FLEETS = ["healthy-20", "critical-90", "short_history-20"]


def payload(fleet):
    return PAYLOADS / f"predictions_current-{fleet}.json.gz"


def render(page, snapshot):
    environment = dict(os.environ, SOURCE_DATE_EPOCH="1763899265")
    command = [BINARY, "--render", page, "--snapshot", snapshot]
    return subprocess.run(command, capture_output=True, env=environment, timeout=60, check=True).stdout


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """A fleet whose names try to escape from every context, one server without data, one alarming."""
    names = ["<script>alert(1)</script>", "\\\"' onload='x", "a&b;&amp;", "]]>", "-->", "\\u202eevil", "\\u0001", "\U0001f600"]
    metric = '{"current": 99.5, "p50": [99, 99, 99, 99, 99, 99], "p10": [], "p90": [100, 100, 100, 100, 100, 100]}'
    servers = [f'"{n}": {{"mem_used_pct": {metric}, "cpu_iowait_pct": {metric}}}' for n in names] + ['"empty": {}']
    path = tmp_path_factory.mktemp("hostile") / "fleet.json"
    path.write_text('{"predictions": {' + ", ".join(servers) + '}, "environment": {}, "metadata": {}}')
    return path


def check(page, text):
    tree = xml.etree.ElementTree.fromstring(text)
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids)), page
    for element in tree.iter():
        assert element.tag != "style" and "style" not in element.attrib, page
        assert element.tag != "script" or (element.get("src") and not element.text), page
        assert not [a for a in element.attrib if a.startswith("on")], page
    return tree


@pytest.mark.parametrize("fleet", FLEETS)
@pytest.mark.parametrize("page", PAGES)
def test_page_is_well_formed(page, fleet):
    check(page, render(page, payload(fleet)))


@pytest.mark.parametrize("page", PAGES)
def test_hostile_names_stay_text(page, hostile):
    text = render(page, hostile)
    tree = check(page, text)
    assert all(script.get("src").startswith("static/") for script in tree.iter("script"))
    assert "\u202e" not in text.decode()


def test_xmllint_agrees():
    text = render("overview", payload("critical-90"))
    result = subprocess.run(["xmllint", "--noout", "-"], input=text, capture_output=True)
    assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("page", ["overview", "heatmap"])
def test_links_are_relative(page):
    text = render(page, payload("critical-90")).decode()
    links = re.findall(r'(?:href|src|action)="([^"]*)"', text)
    assert links
    assert not [link for link in links if link.startswith("/") or ":" in link.split("?")[0]]


def test_overview_of_90_servers_keeps_its_budget():
    assert len(render("overview", payload("critical-90"))) <= 40 * 1024


@pytest.mark.parametrize("page", ["overview", "heatmap"])
def test_500_servers_stay_below_3000_elements(page):
    tree = xml.etree.ElementTree.fromstring(render(page, payload("critical-500")))
    assert sum(1 for _ in tree.iter()) <= 3000


def asset(name):
    """A file as delivered, and compressed."""
    header = (BINARY.parent / "assets" / "assets.h").read_text()
    path = BINARY.parent / "assets" / re.search(rf'"(static/{name}[^"]*)"', header).group(1)
    return path.read_bytes(), path.with_name(path.name + ".gz").read_bytes()


def test_what_the_overview_loads_keeps_its_budget():
    style, _ = asset("style")
    _, script = asset("app")
    print(f"style {len(style)} bytes, script {len(script)} compressed")
    assert len(style) <= 14 * 1024
    assert len(script) <= 9 * 1024


def test_charts_keep_their_budget():
    """The library, and our code for the charts."""
    library = (BINARY.parent / "third-party" / "uPlot.iife.min.js").read_bytes()
    assert len(gzip.compress(library, 9)) <= 23 * 1024
    assert len(asset("charts")[1]) <= 26 * 1024


def test_texts_of_pages_are_sources():
    """lintian takes HTML with lines of 512 characters for what a program has made of a source that is missing."""
    long = [path.name for path in (ROOT / "src" / "text").glob("*.html") if max(map(len, path.read_text().splitlines())) > 300]
    assert long == []
