# SPDX-License-Identifier: MIT
"""What nginx may store for a second: its map of canonical query strings against the parameter table of query.c."""
import re

import pytest

from sources import ROOT

HTTP_CONF = (ROOT / "nginx" / "tft-http.conf.in").read_text()
CANONICAL = re.compile(re.search(r'"~(\^\(\?:profile=.*)" 0;', HTTP_CONF).group(1))
MAP_KEYS = re.findall(r"\(\?:([a-z_]+)=", CANONICAL.pattern)

# From this one on, the canonical order has only free text, private numbers, and parameters about reloading.
FIRST_NOT_STORED = "cost_per_hour"


def table_keys():
    """A key with different meanings on two pages has two rows."""
    text = (ROOT / "src" / "pages" / "query.c").read_text()
    return list(dict.fromkeys(re.findall(r'^\t\[QUERY_[A-Z0-9_]+\] = \{\s*"([a-z0-9_]+)"', text, re.M)))


def test_the_map_has_the_storable_parameters_in_the_order_of_the_table():
    keys = table_keys()
    storable = keys[: keys.index(FIRST_NOT_STORED)]
    assert storable
    assert [key for key in MAP_KEYS if key in storable] == storable
    assert not set(MAP_KEYS) & set(keys[len(storable) :])


@pytest.mark.parametrize(
    "args",
    [
        "profile=ml",
        "sev=critical-up",
        "metric=prob_30m&range=8h",
        "metric=cpu_user&horizon=30m&range=7d",
        "profile=db&since=8h",
        "profile=db&sev=watch&sort=-risk&page=2&view=kiosk&format=csv",
        "sort=-mem&hide=profile,io&page=100",
        "format=json",
    ],
)
def test_canonical_queries_are_stored(args):
    assert CANONICAL.search(args)


@pytest.mark.parametrize(
    "args",
    [
        "PROFILE=ml",
        "profile=ML",
        "profile=",
        "profile=ml&",
        "&profile=ml",
        "profile=mlx",
        "profile=ml&profile=db",
        "sev=critical&profile=ml",
        "profile=%6dl",
        "profile=ml&x=1",
        "page=1000",
        "hide=mem,cpu",
        "hide=cpu,",
        "since=15m",
        "since=1795846260",
        "q=ml",
        "refresh=5",
        "x",
    ],
)
def test_every_other_spelling_bypasses(args):
    assert not CANONICAL.search(args)


def test_every_kept_connection_may_have_ended():
    """A request tries each server of the list once: all kept connections, and two new ones."""
    upstream = re.search(r"^upstream tft \{(.*?)^\}", HTTP_CONF, re.S | re.M).group(1)
    kept = int(re.search(r"keepalive (\d+);", upstream).group(1))
    assert upstream.count('server "unix:@SOCKET@"') == kept + 2


def test_nothing_that_makes_viewers_wait_is_switched_on():
    text = "".join(p.read_text() for p in (ROOT / "nginx").glob("tft-*"))
    directives = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for banned in ("fastcgi_cache_lock", "fastcgi_cache_background_update", "updating"):
        assert banned not in directives
