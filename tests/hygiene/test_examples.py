# SPDX-License-Identifier: MIT
"""The usage examples in the heads of the headers are C code that compiles against the header."""
import re
import subprocess

import pytest

from sources import ROOT, name
from test_layers import HEADERS, stem

# What an example assumes. The reader supplies `send`, `receive` and `fetch`.
GIVEN = {
    "base/buf": "const char *bytes; size_t len; int n;",
    "base/csv": '#include "base/buf.h"\n#include "fleet/snapshot.h"\nstruct buf buf; struct server *server;',
    "base/html": "struct buf *b; struct span name;",
    "base/json": "struct buf buf;",
    "base/log": "const char *why;",
    "base/numbers": "struct span text; struct numbers numbers; struct buf rest; void read();",
    "base/range": "struct buf *out; struct range_writer w; struct range_reader in; struct bytes_reader reader; int32_t values[8]; size_t count;",
    "base/rice": "struct bytes_reader reader; int32_t values[8]; size_t count;",
    "cache/cache": "struct cache *cache; struct cache_read read; struct claim claim; struct commit commit; struct cache_document document;"
    "enum cache_group group; enum reason reason; const char *snap; void send(struct span); enum reason fetch(void);",
    "fleet/accuracy": "struct accuracy_hour hour; struct accuracy accuracy; const struct accuracy_score *score; enum accuracy_verdict verdict;"
    "struct forecasts forecasts; struct snapshot *snap; struct buf record; size_t horizon; int64_t to_ms, range_ms, interval_ms;",
    "fleet/changes": "const struct snapshot *then, *now; struct changes changes; void tell(const struct change_line *);",
    "fleet/decode": "struct decode *d; const char *bytes; size_t len; enum reason reason; struct snapshot *snapshot;"
    "bool receive(const char **, size_t *);",
    "fleet/history": "struct history h; int64_t interval_ms, range_ms, end_ms, at_ms; struct span record; struct history_stats stats;",
    "fleet/recent": "struct recent_hour hour; struct snapshot *snap; int64_t at_ms; struct span names, risks;",
    "fleet/scan": "struct scan *scan; scan_member member; void *ctx; const char *bytes; size_t len; enum scan_result rc;"
    "bool receive(const char **, size_t *);",
    "pages/chart_lines": "struct chart_frame frame; struct chart_series series; const struct chart_mark *marks; size_t count; struct buf *out;",
    "server/context": "struct sources *sources; struct context context; bool gzip;",
    "server/serve": "struct serve *serve; const struct request *const *requests; size_t count; struct request request;"
    "struct response response; void send(struct response *);",
    "store/store": "struct store *store; struct span key; const redisReply *reply;",
}
EXAMPLE = re.compile(r"(?:^ \*\t.*\n)+", re.M)


def example(path):
    head = path.read_text().split("#ifndef", 1)[0]
    return "".join(re.sub(r"^ \*\t", "\t", block, flags=re.M) for block in EXAMPLE.findall(head))


EXAMPLES = [path for path in HEADERS if example(path)]


def test_every_example_has_its_declarations():
    assert {stem(path) for path in EXAMPLES} == set(GIVEN)


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_the_example_compiles(path, tmp_path):
    unit = tmp_path / "unit.c"
    given = GIVEN[stem(path)]
    includes = "".join(line + "\n" for line in given.split("\n") if line.startswith("#"))
    rest = " ".join(line for line in given.split("\n") if not line.startswith("#"))
    unit.write_text(
        f'#include <stdbool.h>\n#include "{stem(path)}.h"\n{includes}int example(void);\n{rest}\n'
        f"int example(void)\n{{\n{example(path)}\treturn 0;\n}}\n"
    )
    flags = subprocess.run(["pkg-config", "--cflags", "hiredis", "json-c"], capture_output=True, text=True, check=True).stdout.split()
    command = ["gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fsyntax-only", f"-I{ROOT / 'include'}", *flags, str(unit)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
