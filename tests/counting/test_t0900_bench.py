# SPDX-License-Identifier: MIT
"""The benchmarks: every table is printed with numbers, and only peers that serve the same bytes are compared."""
import gzip
import http.server
import pathlib
import re
import subprocess
import sys
import threading

import pytest

BENCH = pathlib.Path(__file__).resolve().parent.parent / "bench"
ROOT = BENCH.parent.parent
sys.path.insert(0, str(BENCH))

import bench  # noqa: E402
import peer  # noqa: E402
import table  # noqa: E402
import throughput  # noqa: E402

NUMBER = re.compile(r"\d")
# First cells of the rows that must be there, each with a figure in every measured column.
ROWS = {
    "pages": [
        "Flask, each page asks the upstream",
        "dashboard, cache emptied before each load",
        "+ Redis, pages rendered from the snapshot",
        "+ pages compiled in advance",
        "+ L1: production",
        "development (`start_all.sh --dev`)",
    ],
    "calls": ["Flask, no cache", "dashboard, 1 host"],
    "throughput": ["dashboard, L1", "dashboard, Redis", *peer.ORDER],
    "flip": ["during a change", "in between", "requests over 50 ms at the worker"],
    "resources": ["nginx", "worker", "Redis", "together", "RSS of a worker, MB"],
}


def tables(text):
    """{first cell: other cells of its last row}"""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows}


@pytest.fixture(scope="module")
def sections():
    argv = ["/usr/bin/python3", BENCH / "bench.py", "--short"]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr[-4000:]
    parts = re.split(r"^## (\w+)\n", run.stdout, flags=re.M)[1:]
    return dict(zip(parts[::2], parts[1::2]))


@pytest.mark.parametrize("name", ROWS)
def test_short_run_prints_each_table_with_numbers(sections, name):
    found = tables(sections[name])
    for first in ROWS[name]:
        assert first in found, sections[name]
        assert len(list(filter(NUMBER.search, found[first]))) >= 2, found[first]


def test_every_section_has_its_place_in_the_document():
    document = (ROOT / "BENCHMARKS.md").read_text()
    for name in bench.SECTIONS:
        assert "new text" in table.replace_section(document, name, "new text\n")


@pytest.fixture
def url_of():
    """url_of(body): the URL of a server that serves that body, compressed."""
    servers = []

    def serve(body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Encoding", "gzip")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        servers.append(http.server.HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_peer_with_other_bytes_is_not_measured(url_of):
    page, other = gzip.compress(b"page"), gzip.compress(b"pagf")
    throughput.require_same({"peer": url_of(page)}, page)
    with pytest.raises(AssertionError, match="peer does not answer with the same bytes"):
        throughput.require_same({"peer": url_of(other)}, page)
