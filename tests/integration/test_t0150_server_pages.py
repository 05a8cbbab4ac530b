# SPDX-License-Identifier: MIT
"""Server pages, the top page and the stored forecasts behind them, through the whole chain."""
import csv
import html
import io
import json
import re
import urllib.parse
import xml.etree.ElementTree

import pytest
from stack import Stack, long_interval
from upstream import Upstream, payload_bytes

PAYLOAD = "predictions_current-critical-90"
BITS = 65535
LOST = "The stored forecast of this server cannot be read."


@pytest.fixture(scope="module")
def sent():
    return json.loads(payload_bytes(PAYLOAD))


@pytest.fixture(scope="module")
def stack():
    with Upstream() as upstream:
        upstream.predictions.load(PAYLOAD)
        with Stack(workers=2, interval=long_interval(), l1=False, upstream=upstream) as running:
            running.wait_fleet()
            yield running


@pytest.fixture
def own_stack(stack_factory, upstream):
    """A separate stack for tests that change stored data."""
    upstream.predictions.load(PAYLOAD)
    running = stack_factory(interval=long_interval(), l1=False, upstream=upstream)
    running.wait_fleet()
    return running


def links(page):
    """All links of a page except those within it."""
    return [html.unescape(link) for link in re.findall(r'(?:href|src|action)="([^"#]*)"', page)]


def server_of(stack, name):
    """The API's answer for the server, requested where nginx does not limit requests."""
    return stack.get(f"/server/{name}?format=json").json()


# Forecasts


def test_forecasts_are_what_the_daemon_sent(stack, sent):
    """To within 16 bits of the list's range and three decimals."""
    for name, server in sent["predictions"].items():
        answer = server_of(stack, name)
        assert answer["name"] == name
        metrics = {key: value for key, value in server.items() if isinstance(value, dict) and "p50" in value}
        assert set(answer["metrics"]) == set(metrics), name
        for metric, want in metrics.items():
            ours = answer["metrics"][metric]
            assert ours["current"] == want["current"] and ours["trend"] == want["trend"], (name, metric)
            for key in ("p10", "p50", "p90"):
                near = (max(want[key]) - min(want[key])) / BITS + 0.0006
                assert len(ours[key]) == len(want[key]) == 96
                assert all(abs(a - b) <= near for a, b in zip(ours[key], want[key])), (name, metric, key)


def test_server_object_is_the_one_of_the_fleet(stack):
    fleet = stack.get("/api/v1/fleet").json()
    for server in fleet["servers"][::17]:
        answer = stack.get("/api/v1/servers/" + server["name"]).json()
        assert {key: answer[key] for key in server} == server
        assert answer["bucket"] == fleet["bucket"] and answer["condition"] == "ok"


LIMITS = {"cpu_user_pct": 85, "mem_used_pct": 90, "cpu_iowait_pct": 20, "swap_used_pct": 25, "disk_usage_pct": 85}


def comes_up(now, limit, alerts):
    """Minutes until the first alert that follows a moment below the limit; the present counts as a moment. None: there is none."""
    above = {alert["minutes_ahead"] for alert in alerts} | ({0} if now >= limit else set())
    return min((minute for minute in above - {0} if minute - 5 not in above), default=None)


def expected_crossings(sent):
    """From all alerts of one server and metric: the worse limit that is reached, when, and the highest value."""
    found = {}
    for alert in sent["alerts"]:
        found.setdefault((alert["server"], alert["metric"]), []).append(alert)
    crossings = {}
    for (server, metric), alerts in found.items():
        now = sent["predictions"][server][metric]["current"]
        critical = [alert for alert in alerts if alert["severity"] == "critical"]
        peak = max(alert["predicted_value"] for alert in alerts)
        if critical and (minutes := comes_up(now, critical[0]["threshold"], critical)):
            crossings[server, metric] = ("critical", critical[0]["threshold"], minutes, peak)
        elif minutes := comes_up(now, LIMITS[metric], alerts):
            crossings[server, metric] = ("warning", LIMITS[metric], minutes, peak)
    return crossings


def test_crossings_are_the_alerts_of_the_daemon_without_repetition_and_without_what_is_so_already(stack, sent):
    ours = {}
    for name in sent["predictions"]:
        for c in server_of(stack, name)["crossings"]:
            ours[name, c["metric"]] = (c["severity"], c["limit"], c["minutes"], c["peak"])
    want = expected_crossings(sent)
    assert len(want) > 10
    assert ours == want
    overview = stack.get("/").text
    servers = {name for name, _ in want}
    assert f"<h2>{len(servers)} servers will cross a " in overview


# The page of a server


def test_page_shows_rank_neighbours_and_forecasts(stack):
    servers = stack.get("/api/v1/top?n=6").json()["servers"]
    page = stack.get("/server/" + servers[4]["server"])
    assert page.status_code == 200
    assert f"<h1>{servers[4]['server']}</h1>" in page.text
    assert "Rank <b>5</b> of 90" in page.text
    assert f' worse <a href="{servers[3]["server"]}">' in page.text
    assert f' better <a href="{servers[5]["server"]}">' in page.text
    assert page.text.count('<svg class="lines course') == 4 + 10
    assert page.headers["Cache-Status"].startswith("tft-redis; hit; ttl=")


@pytest.mark.parametrize("path", ["/server/ppdb011", "/server/ppdb011?view=kiosk", "/top", "/top?n=20"])
def test_pages_are_well_formed_and_small(stack, path):
    tree = xml.etree.ElementTree.fromstring(stack.get(path).content)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert not [element for element in tree.iter() if "style" in element.attrib]
    assert sum(1 for _ in tree.iter()) <= 3000


def test_every_link_of_a_server_page_leads_somewhere(stack):
    base = "/server/ppdb011"
    for link in sorted(set(links(stack.get(base).text))):
        target = urllib.parse.urljoin(base, link)
        assert not link.startswith("/") and stack.get(target).status_code == 200, link


def test_csv_and_json_of_a_server_page(stack):
    answer = stack.get("/server/ppdb011?format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    api = stack.get("/api/v1/servers/ppdb011").json()
    assert [row["metric"] for row in rows] == list(api["metrics"])
    memory = next(row for row in rows if row["metric"] == "mem_used_pct")
    assert float(memory["now"]) == api["memory"]["now"]
    assert float(memory["predicted_30m"]) == api["memory"]["p50_30m"]
    assert float(memory["worst_30m"]) == api["heatmap"]["memory"]
    assert stack.get("/server/ppdb011?format=json").json() == api


@pytest.mark.parametrize("name", ["", "nosuch", "PPDB011", "ppdb01", "ppdb0111", "ppdb011/", "%3Cscript%3Ealert(1)", "%FF"])
def test_unknown_names_are_404_and_not_repeated(stack, name):
    page = stack.get("/server/" + name)
    assert page.status_code == 404
    assert "No such server in the current snapshot." in page.text
    assert 'role="search"' in page.text
    assert "alert(1)" not in page.text and "nosuch" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    for link in links(page.text):
        assert stack.get(urllib.parse.urljoin("/server/x", link)).status_code == 200
    api = stack.get("/api/v1/servers/" + name)
    assert api.status_code == 404
    assert api.headers["Content-Type"] == "application/problem+json"
    assert api.json()["detail"] == "No such server in the current snapshot."


def test_links_of_a_page_that_is_not_there_lead_back(stack):
    page = stack.get("/no/such/page")
    assert page.status_code == 404
    for link in links(page.text):
        assert stack.get(urllib.parse.urljoin("/no/such/page", link)).status_code == 200


def test_odd_names_are_found_by_the_links_to_them(stack_factory, upstream, sent):
    names = ["a b", "100%", "x?y#z", "<b>&\"'", "ünïcödé", "name;v=1", "+", "~tilde", "...", "a%2Fb"]
    metrics = sent["predictions"]["ppdb011"]
    changed = dict(sent, predictions={name: metrics for name in names + [".", "..", "a/b"]})
    upstream.predictions.body = json.dumps(changed).encode()
    running = stack_factory(interval=long_interval(), l1=False, upstream=upstream)
    running.wait_fleet()
    found = [link for link in links(running.get("/heatmap").text) if link.startswith("server/")]
    found = list(dict.fromkeys(found))  # as tiles and as rows
    assert len(found) == len(names)
    titles = []
    for link in found:
        page = running.get("/" + link)
        assert page.status_code == 200, link
        tree = xml.etree.ElementTree.fromstring(page.content)
        titles.append(tree.findtext(".//h1"))
        assert 'id="metrics"' in page.text
    assert sorted(titles) == sorted(names)


# Badges


def test_badges_are_pictures_that_caches_keep(stack):
    for name, route in (("fleet", "badge-fleet"), ("ppdb011", "badge-server")):
        badge = stack.get(f"/badge/{name}.svg")
        assert badge.status_code == 200
        assert badge.headers["Content-Type"] == "image/svg+xml"
        assert f'key="{route}"' in badge.headers["Cache-Status"]
        assert stack.get(f"/badge/{name}.svg", headers={"If-None-Match": badge.headers["ETag"]}).status_code == 304
        assert xml.etree.ElementTree.fromstring(badge.content).tag == "{http://www.w3.org/2000/svg}svg"
    missing = [stack.get(f"/badge/{name}.svg") for name in ("nosuch", "%3Cscript%3E", "")]
    assert [answer.status_code for answer in missing] == [404] * 3
    assert len({answer.content for answer in missing}) == 1


# The top page


def test_top_page_is_stored_and_other_numbers_are_rendered_with_their_forecasts(stack):
    stored, more = stack.get("/top"), stack.get("/top?n=12")
    assert "render" not in stored.headers["Server-Timing"] and "render" in more.headers["Server-Timing"]
    assert stored.text.count("<details class=\"panel server\"") == stored.text.count("<figure>") == 5
    assert more.text.count("<details class=\"panel server\"") == more.text.count("<figure>") == 12
    assert LOST not in more.text
    assert stack.get("/top?n=5").text == stored.text


def test_top_page_of_a_profile_has_the_forecasts_of_its_servers(stack):
    page = stack.get("/top?profile=web&n=7").text
    assert page.count("<figure>") == 7 and LOST not in page
    assert re.findall(r"<h2>\d+\. (\S+) –", page) == [
        server["server"] for server in stack.get("/api/v1/top?profile=web&n=7").json()["servers"]
    ]


@pytest.mark.parametrize("n", ["4", "21", "0", "-5", "5.0", "x"])
def test_numbers_out_of_range_are_400(stack, n):
    answer = stack.get("/top?n=" + n)
    assert answer.status_code == 400
    assert "5 to 20" in answer.text


def test_top_api_and_csv_agree_with_the_fleet(stack):
    fleet = stack.get("/api/v1/fleet").json()["servers"]
    top = stack.get("/api/v1/top").json()
    assert [(s["server"], s["risk"]) for s in top["servers"]] == [(s["name"], s["risk"]) for s in fleet[:5]]
    for server in top["servers"]:
        assert min(100, round(sum(rule["adds"] for rule in server["why"]), 1)) == server["risk"]
        assert all(0 <= low <= mid <= high <= 100 for low, mid, high in zip(*(server["cpu_8h"][k] for k in ("p10", "p50", "p90"))))
    rows = list(csv.DictReader(io.StringIO(stack.get("/top?format=csv").content.decode("utf-8-sig"))))
    assert len(rows) == 5 * 8
    assert [row["server"] for row in rows[::8]] == [s["server"] for s in top["servers"]]


# The heatmap's API


@pytest.mark.parametrize("metric", ["risk", "cpu", "memory", "load"])
def test_heatmap_api_has_the_values_of_the_fleet(stack, metric):
    fleet = {server["name"]: server for server in stack.get("/api/v1/fleet").json()["servers"]}
    answer = stack.get(f"/api/v1/heatmap?metric={metric}").json()
    values = [tile["value"] for tile in answer["servers"]]
    assert {tile["server"]: tile["value"] for tile in answer["servers"]} == {
        name: server["heatmap"][metric] for name, server in fleet.items()
    }
    printed = [f"{value:.1f}" for value in values]
    assert printed == sorted(printed, key=float, reverse=True), "in the order of what is printed"
    assert answer["stats"]["max"] == max(values) and answer["stats"]["min"] == min(values)
    assert abs(answer["stats"]["average"] - sum(values) / len(values)) < 1e-9
    assert stack.get(f"/heatmap?metric={metric}&sort=-value&format=json").json() == answer


# What the cache does


def test_pages_of_flushed_data_keep_their_forecasts(own_stack):
    own_stack.upstream.predictions.hold()
    own_stack.redis.set("tft:epoch:fleet", "another")
    top, server = own_stack.get("/top"), own_stack.get("/server/ppdb011")
    own_stack.upstream.predictions.release()
    assert top.status_code == server.status_code == 200
    assert top.text.count("<figure>") == 5
    assert 'id="metrics"' in server.text


def test_forecasts_of_another_snapshot_are_not_shown(own_stack):
    (key,) = own_stack.redis.keys("tft:series:*")
    assert own_stack.redis.hlen(key) == 1 + 90
    assert 0 < own_stack.redis.pttl(key) <= 3600 * 1000
    own_stack.redis.hset(key, "", "0123456789abcdef")
    page = own_stack.get("/server/ppdb011")
    assert page.status_code == 200 and LOST in page.text
    assert own_stack.get("/top?n=6").text.count(LOST) == 6
    own_stack.redis.delete(key)
    assert LOST in own_stack.get("/server/ppdb011").text
    assert own_stack.get("/api/v1/servers/ppdb011").json()["metrics"] == {}


def test_a_damaged_forecast_is_absent(own_stack):
    (key,) = own_stack.redis.keys("tft:series:*")
    whole = own_stack.redis.hget(key, "ppdb011")
    for damaged in (b"x", whole[:-1], whole + b"\0", b"TFTs\xff" + whole[5:]):
        own_stack.redis.hset(key, "ppdb011", damaged)
        page = own_stack.get("/server/ppdb011")
        assert page.status_code == 200 and LOST in page.text
    own_stack.redis.hset(key, "ppdb011", whole)
    assert LOST not in own_stack.get("/server/ppdb011").text


def test_server_pages_without_redis(own_stack):
    """The kept snapshot has no forecasts; they come with the first call that a worker makes without Redis."""
    own_stack.stop_redis()

    def own_page():
        answer = own_stack.get("/server/ppdb011")
        return 'id="metrics"' in answer.text and LOST not in answer.text and "Shared cache off" in answer.text and answer

    assert own_stack.wait(own_page, 60, "a page of its own, which says so").status_code == 200
