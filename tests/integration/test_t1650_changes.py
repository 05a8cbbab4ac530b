# SPDX-License-Identifier: MIT
"""What changed since a moment: the same on every host, on the overview and in full, live and in the past."""
import csv
import io

import pytest
from stack import Stack
from test_t1600_moments import INTERVAL, at, iso
from upstream import Upstream


@pytest.fixture(scope="module")
def fleet():
    with Upstream(predictions="predictions_current-healthy-90") as upstream:
        upstream.scenario = "healthy"
        with Stack(workers=1, hosts=2, interval=INTERVAL, l1=False, upstream=upstream, ahead=0) as stack:
            stack.wait_fleet()
            yield stack


@pytest.fixture(scope="module")
def then(fleet):
    """The moment before the scenario changed; the snapshot is from after it."""
    bucket = fleet.committed()
    fleet.upstream.predictions.load("predictions_current-critical-90")
    fleet.upstream.scenario = "critical"
    fleet.next_snapshot()
    fleet.next_snapshot()
    return iso(bucket * INTERVAL * 1000)


def servers(answer):
    return {server["server"]: server for line in answer["changes"] for server in line["servers"]}


def test_the_api_tells_what_two_answers_of_the_fleet_differ_in(fleet, then):
    answer = fleet.get(f"/api/v1/changes?since={then}").json()
    now = at("/api/v1/fleet", iso(answer["bucket"] * INTERVAL * 1000))
    before, after = ({s["name"]: s for s in fleet.get(path).json()["servers"]} for path in (at("/api/v1/fleet", then), now))
    entered = {name for name in after if before[name]["risk"] < 50 <= after[name]["risk"]}
    left = {name for name in after if after[name]["risk"] < 50 <= before[name]["risk"]}
    told = servers(answer)
    assert entered and {name for name, s in told.items() if s["change"] == "entered"} == entered
    assert {name for name, s in told.items() if s["change"] == "left"} == left
    for name, server in told.items():
        assert server["then"] == {key: before[name][key] for key in ("level", "risk")}
        assert server["now"] == {key: after[name][key] for key in ("level", "risk")}
        since = None if after[name]["level_since_at_least"] else after[name]["level_since"]
        assert server["rose_at"] == (since if server["change"] in ("entered", "rose") else None)
    together = [line for line in answer["changes"] if line["change"] == "together"]
    assert together and all(server["rose_at"][11:19] in line["text"] for line in together for server in line["servers"])
    assert answer["changes"][0]["change"] in ("environment", "scenario")
    assert "Scenario: critical, was healthy" in [line["text"] for line in answer["changes"]]
    assert answer["since"] == then.replace("Z", ".000Z")


def test_every_host_tells_the_same(fleet, then):
    for path in (f"/changes?since={then}", f"/api/v1/changes?since={then}", f"/changes?since={then}&format=csv", f"/?since={then}"):
        path = at(path, iso(fleet.committed() * INTERVAL * 1000))
        one, two = (fleet.get(path, host=host) for host in (0, 1))
        assert one.status_code == 200 and one.content == two.content and one.headers["etag"] == two.headers["etag"], path


def test_the_stored_overview_is_the_rendered_one(fleet, then):
    """The refresh and a request compare with the same moment."""

    def attempt():
        stored, other = fleet.get("/"), fleet.get("/?sort=name")
        return (stored.text, other.text) if stored.headers["X-TFT-Bucket"] == other.headers["X-TFT-Bucket"] else None

    stored, rendered = (text.split('id="changes"')[1].split("</section>")[0] for text in fleet.wait(attempt, what="one bucket"))
    assert stored == rendered
    assert "Changed since <time" in stored and "Scenario: critical, was healthy" in stored


def test_csv_has_a_row_for_each_server(fleet, then):
    moment = iso(fleet.committed() * INTERVAL * 1000)
    rows = list(csv.DictReader(io.StringIO(fleet.get(f"/changes?since={then}&format=csv&at={moment}").content.decode("utf-8-sig"))))
    told = servers(fleet.get(f"/api/v1/changes?since={then}&at={moment}").json())
    assert {row["server"]: row["change"] for row in rows if row["server"]} == {name: s["change"] for name, s in told.items()}


def test_a_moment_that_is_not_kept_is_said(fleet, then):
    page = fleet.get("/changes?since=24h")
    assert page.status_code == 200 and "Nothing is kept of " in page.text and "The nearest after: " in page.text
    answer = fleet.get("/api/v1/changes?since=24h").json()
    assert answer["since"] is None and answer["changes"] is None and answer["nearest_after"] and not answer["nearest_before"]
    assert fleet.get("/changes?since=24h&format=csv").status_code == 404
    assert fleet.get("/changes?since=yesterday").status_code == 400
    assert fleet.get("/heatmap?since=1h").status_code == 400


def test_a_comparison_with_the_past_is_kept_for_ever_once_both_are_over(fleet, then):
    moment = iso(fleet.committed() * INTERVAL * 1000)
    fleet.next_snapshot()
    fleet.next_snapshot()
    assert "immutable" in fleet.get(at(f"/changes?since={then}", moment)).headers["Cache-Control"]
    assert "immutable" not in fleet.get(at("/changes?since=2999-01-01T00:00:00Z", moment)).headers["Cache-Control"]


def test_without_redis_there_is_nothing_to_compare_with(fleet, then):
    fleet.stop_redis()
    try:
        fleet.wait(lambda: "which cannot be reached" in fleet.get("/changes").text, 20, "Redis is away")
        assert fleet.get("/api/v1/changes").json()["changes"] is None
        assert fleet.get("/changes?format=csv").status_code == 503
    finally:
        fleet.restart_redis()
