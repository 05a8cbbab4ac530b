# SPDX-License-Identifier: MIT
"""A stream of the history that cannot be read or written costs what is in it, and neither a page nor a moment."""
import pytest
from test_t1600_moments import at, iso
from timeless import INTERVAL, Timeless
from upstream import Upstream

FLEET = "predictions_current-critical-20"
SERVER = "ppdb001"
REMARK = "Part of what belongs to this moment cannot be read."
# The stream, and a page that shows some of it.
PARTS = {
    "riskhours": f"/server/{SERVER}",
    "risk": "/",
    "hours": "/",
    "fleet": "/history?range=1h",
    "forecasts": f"/server/{SERVER}",
    "incidents": "/incidents",
    "accuracy": "/accuracy",
}


def known_bucket(stack):
    """The next bucket. The worker commits by Redis' clock, and takes up to a second to learn that the clock was moved; until then it
    takes no moment for over."""
    bucket = stack.next_bucket()
    stack.wait(lambda: stack.get("/api/v1/status").json()["cache"]["bucket"] == bucket, 10, "the worker knows the time")
    return bucket


@pytest.fixture(scope="module")
def stack():
    with Upstream(predictions=FLEET) as upstream, Timeless(workers=1, upstream=upstream) as running:
        running.wait_fleet(timeout=30)
        running.commit(3 * 3600 // INTERVAL, FLEET)
        known_bucket(running)
        yield running


def get(stack, path):
    """With patience: on a busy machine Redis may count as away for a moment."""
    return stack.wait(lambda: [a for a in [stack.get(path)] if a.status_code == 200], 30, path)[0]


@pytest.fixture
def broken(stack, request):
    """Another program has taken the key."""
    key = f"tfthist:{request.param}"
    kept = stack.redis.exists(key)
    if kept:
        stack.redis.rename(key, "kept")
    stack.redis.set(key, "something else")
    yield request.param
    stack.redis.delete(key)
    if kept:
        stack.redis.rename("kept", key)


@pytest.mark.parametrize("broken", PARTS, indirect=True)
def test_a_stream_that_cannot_be_read_costs_its_part_of_a_past_page(stack, broken):
    moment = iso((stack.time() // INTERVAL - 1) * INTERVAL * 1000)
    page = get(stack, at(PARTS[broken], moment))
    assert REMARK in page.text and "immutable" not in page.headers["Cache-Control"]
    assert SERVER in page.text or broken in ("fleet", "incidents", "accuracy")
    assert get(stack, PARTS[broken]).status_code == 200, "the live page"


@pytest.mark.parametrize("broken", PARTS, indirect=True)
def test_a_stream_that_cannot_be_written_takes_no_moment_away(stack, broken):
    bucket = stack.next_bucket()
    newest = stack.redis.xrevrange("tfthist:full", count=1)[0][0]
    assert (newest == f"{bucket * INTERVAL * 1000}-0".encode()) == (broken != "fleet"), "without a point nothing is kept"


def test_a_page_whose_parts_are_all_there_says_nothing(stack):
    moment = iso((known_bucket(stack) - 1) * INTERVAL * 1000)

    def whole():
        """Not yet where Redis was late for a part, as it may be on a busy machine."""
        page = get(stack, at(f"/server/{SERVER}", moment))
        return page if REMARK not in page.text else None

    assert "immutable" in stack.wait(whole, 10, "a page with all its parts").headers["Cache-Control"]


def test_the_day_of_a_server_is_read_from_hours(stack):
    """The buckets of the last two hours are all that is left of each for itself."""
    oldest = int(stack.redis.xrange("tfthist:risk", count=1)[0][0].split(b"-")[0]) // 1000
    assert stack.time() - oldest < 3 * 3600
    assert stack.redis.xlen("tfthist:riskhours") >= 2
    page = stack.wait(lambda: stack.get(f"/server/{SERVER}").text, 30, "the page")
    assert "Risk" in page and 'id="risk-history"' in page
