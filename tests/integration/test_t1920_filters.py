# SPDX-License-Identifier: MIT
"""Tables as operators use them: chosen, ordered, searched, kept as files; on every host, live and of the past."""
import csv
import io
import re

import pytest
from stack import Stack, long_interval
from upstream import Upstream


@pytest.fixture(scope="module")
def stack():
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        with Stack(workers=2, interval=long_interval(), upstream=upstream) as running:
            running.wait_fleet()
            yield running


def names(page):
    return re.findall(r'<tr id="srv-([^"]+)"', page)


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def servers(stack):
    return stack.get("/api/v1/fleet").json()["servers"]


def test_every_count_of_the_matrix_is_the_number_of_rows_behind_it(stack):
    matrix = re.search(r'<table class="matrix">.*?</table>', stack.get("/").text)[0]
    links = re.findall(r'<a href="\./([^"]*)#alerts"[^>]*>(\d+)</a>', matrix)
    assert len(links) >= 10
    for address, count in links[1:]:
        rows = rows_of(stack.get("/" + (address or "?").replace("&amp;", "&") + "&format=csv"))
        assert len(rows) == int(count), address


def test_a_whole_name_leads_to_the_server_and_a_part_to_a_list(stack):
    name = servers(stack)[0]["name"]
    for text in (name, name.upper()):
        answer = stack.get(f"/heatmap?q={text}", allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"server/{name}")
        assert "X-Accel-Expires" not in answer.headers
    assert f"<h1>{name}</h1>" in stack.get(f"/heatmap?q={name}", allow_redirects=True).text
    for address in (f"/heatmap?q={name[:4]}", f"/heatmap?q={name}&sort=-value", f"/?q={name}", "/heatmap?q=nobody"):
        assert stack.get(address, allow_redirects=False).status_code == 200
    assert f'name="q" maxlength="64" value="{name[:4]}"' in stack.get(f"/heatmap?q={name[:4]}").text
    # Programs get what they ask for.
    assert stack.get(f"/heatmap?q={name}&format=json", allow_redirects=False).status_code == 200
    assert stack.get(f"/api/v1/heatmap?q={name}", allow_redirects=False).status_code == 200


def test_a_whole_name_leads_to_the_server_of_that_moment(stack):
    fleet = stack.get("/api/v1/fleet").json()
    name = fleet["servers"][0]["name"]
    at = re.search(r'id="moment" href="[^"]*at=([^"]*)"', stack.get("/").text)[1]
    answer = stack.get(f"/heatmap?q={name}&at={at}", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"server/{name}?at={at}")


def test_files_say_when_and_have_all_rows(stack):
    moment = re.search(r'id="moment" href="[^"]*at=([^"]*)"', stack.get("/").text)[1]
    for page in ("/", "/heatmap", "/top", "/remediation"):
        rows = rows_of(stack.get(f"{page}?format=csv"))
        assert rows and {row["time"] for row in rows} == {moment}
        decimals = [len(v.partition(".")[2]) for row in rows for v in row.values() if re.fullmatch(r"-?\d+\.\d+", v or "")]
        assert max(decimals) <= 4
    page = stack.get("/?hide=cpu&row=ppdb011&page=2&sev=healthy-up").text
    link = re.search(r'href="\./([^"]*format=csv[^"]*)"', page)[1].replace("&amp;", "&")
    assert link == "?sev=healthy-up&format=csv"
    assert len(rows_of(stack.get(f"/{link}"))) == 90


def test_the_order_of_the_api_stays_and_tiles_keep_their_places(stack):
    values = [s["value"] for s in stack.get("/api/v1/heatmap").json()["servers"]]
    assert values == sorted(values, reverse=True)
    tiles = re.findall(r'<li id="srv-([^"]+)"', stack.get("/heatmap?group=none").text)
    assert tiles == sorted(tiles) and len(tiles) == 90
    assert [s["server"] for s in stack.get("/heatmap?format=json").json()["servers"]] == tiles


def test_details_are_in_the_address_and_of_the_past_too(stack):
    name = names(stack.get("/").text)[3]
    page = stack.get(f"/?row={name}").text
    assert page.count('class="details"') == 1 and f'<tr id="why-{name}"' in page
    at = re.search(r'id="moment" href="([^"]*)"', page)[1].replace("&amp;", "&")
    assert f"row={name}" in at
    assert f'<tr id="why-{name}"' in stack.get("/" + at.removeprefix("./")).text
