# SPDX-License-Identifier: MIT
"""The page of a server: its last and next 8 hours, another server beside it, the servers around it."""
import json
import re

import pytest
from stack import Stack
from test_t1700_accuracy import NOW, THEN
from upstream import Upstream

MAIN = ("cpu", "memory", "iowait", "load")
OTHER = (
    *("cpu_user_pct", "cpu_sys_pct", "java_cpu_pct", "swap_used_pct", "disk_usage_pct", "net_in_mb_s", "net_out_mb_s"),
    *("back_close_wait", "front_close_wait", "uptime_days"),
)
GRID = [*range(5, 60, 5), *range(60, 481, 15)]  # minutes ago


@pytest.fixture(scope="module")
def stack():
    """8 hours of records that are all the same: what the daemon said first. Since then it says something else."""
    with Upstream() as upstream:
        upstream.predictions.body = json.dumps(THEN).encode()
        with Stack(upstream=upstream, interval=5, workers=1, l1=False) as running:
            running.wait_fleet()
            upstream.predictions.body = json.dumps(NOW).encode()
            first = running.committed()
            running.wait(lambda: running.get("/") and running.committed() > first, timeout=60, what="other values")
            plant(running)
            yield running


def bucket_ms(stack):
    data = stack.get("/api/v1/fleet").json()
    return data["bucket"] * data["interval_s"] * 1000


def plant(stack):
    fields = stack.redis.xrange("tfthist:forecasts", count=1)[0][1]
    stack.redis.unlink("tfthist:forecasts")
    for minutes in reversed(GRID):
        stack.redis.xadd("tfthist:forecasts", fields, id=f"{bucket_ms(stack) - minutes * 60_000}-0")


def path_of(page, figure, css):
    drawing = re.search(rf'<figure id="{figure}">.*?</figure>', page, re.S)[0]
    return re.search(rf'<path class="{css}" d="([^"]*)"', drawing)[1]


def points(d):
    """Of all curves of a path: minutes from the moment and thousandths of the height from the top."""
    found = []
    for curve in d.split("M")[1:]:
        x, y, *rest = (int(number) for number in re.findall(r"-?\d+", curve))
        found.append((x, y))
        for dx, dy in zip(rest[::2], rest[1::2]):
            x, y = x + dx, y + dy
            found.append((x, y))
    return found


def worst(stack):
    return stack.get("/api/v1/top").json()["servers"][0]["server"]


def test_the_last_hours_are_those_that_were_kept(stack):
    name = worst(stack)
    page = stack.get("/server/" + name).text
    memory = points(path_of(page, "course-memory", "value"))
    then, now = (min(100, answer["predictions"][name]["mem_used_pct"]["current"]) for answer in (THEN, NOW))
    assert memory[0] == (-480, 1000 - round(round(then, 1) * 10)) and memory[-1] == (0, 1000 - round(round(now, 1) * 10))
    for metric in MAIN:
        assert points(path_of(page, "course-" + metric, "value"))[0][0] == -480
        assert path_of(page, "course-" + metric, "made").count("M") == 5
        assert points(path_of(page, "course-" + metric, "value ahead"))[-1][0] == 480
    for metric in OTHER:
        assert points(path_of(page, "chart-" + metric, "value"))[0][0] == -480
    assert page.count(" of 35 in 8 h") == 4
    assert "every 5 minutes in the last hour" in page


def test_neighbours_are_those_of_both_orders(stack):
    fleet = [server["name"] for server in stack.get("/api/v1/fleet").json()["servers"]]
    names = sorted(fleet)
    for name in (fleet[0], fleet[3], fleet[-1], names[0], names[-1]):
        answer, rank, at = stack.get("/api/v1/servers/" + name).json(), fleet.index(name), names.index(name)
        assert (answer["rank"], answer["of"]) == (rank + 1, len(fleet))
        assert answer["neighbours"] == {
            "worse": fleet[rank - 1] if rank else None,
            "better": (fleet + [None])[rank + 1],
            "previous": names[at - 1] if at else None,
            "next": (names + [None])[at + 1],
        }
        assert min(100, round(sum(rule["adds"] for rule in answer["why"]), 1)) == answer["risk"]
        page = stack.get("/server/" + name).text
        for word, other in answer["neighbours"].items():
            assert (f" {word} <a href=\"{other}\">" in page) == (other is not None)


def test_two_servers_stand_side_by_side(stack):
    fleet = [server["name"] for server in stack.get("/api/v1/fleet").json()["servers"]]
    page = stack.get(f"/server/{fleet[0]}?with={fleet[1]}")
    assert page.status_code == 200
    assert page.text.count('<path class="other" d="M-480') == 4 + 10
    assert page.text.count('<path class="other ahead"') == 4 + 10
    assert f'<h3><a href="{fleet[1]}">{fleet[1]}</a></h3>' in page.text
    assert stack.get(f"/server/{fleet[0]}?with={fleet[1]}&format=json").json() == stack.get(f"/api/v1/servers/{fleet[0]}").json()
    assert 'class="other"' not in stack.get(f"/server/{fleet[0]}?with=").text


@pytest.mark.parametrize("name", ["nosuch", "PPDB001", "%3Cscript%3Ealert(1)", "x" * 255])
def test_a_server_that_there_is_not_cannot_be_compared_with(stack, name):
    page = stack.get(f"/server/{worst(stack)}?with={name}")
    assert page.status_code == 404
    assert "No such server in the current snapshot to compare with." in page.text
    assert name not in page.text and "alert(1)" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["%FF", "a%00b", "x" * 256])
def test_what_cannot_be_a_name_is_refused(stack, name):
    page = stack.get(f"/server/{worst(stack)}?with={name}")
    assert page.status_code == 400
    assert "the name of a server" in page.text


def test_the_page_of_its_moment_has_the_same_past(stack):
    name = worst(stack)
    live = stack.get("/server/" + name).text
    other = stack.get("/api/v1/top").json()["servers"][1]["server"]
    moment = re.search(r'id="moment" href="\?at=([^"]*)"', live)[1]
    past = stack.get(f"/server/{name}?with={other}&at={moment}")
    assert past.status_code == 200 and 'data-state="past"' in past.text
    for metric in MAIN:
        for css in ("value", "made"):
            assert path_of(past.text, "course-" + metric, css) == path_of(live, "course-" + metric, css), (metric, css)
    assert past.text.count('<path class="other" d="M-480') == 4 + 10
    assert f'href="{other}?at={moment}"' in past.text
    assert stack.get(f"/server/{name}?with=nosuch&at={moment}").status_code == 404


def test_nothing_is_kept_yet(stack):
    """The last one: it removes what the others read."""
    stack.redis.unlink("tfthist:forecasts")
    page = stack.get(f"/server/{worst(stack)}?view=compact").text
    assert re.fullmatch(r"M0 \d+h0", path_of(page, "course-memory", "value"))
    assert "held" not in re.search(r'<section class="panel" id="course">.*?</section>', page, re.S)[0]
