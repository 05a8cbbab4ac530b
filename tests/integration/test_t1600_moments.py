# SPDX-License-Identifier: MIT
"""Pages of the past: they show again what was shown then, and reading them costs no call."""
import datetime
import re

import pytest
from stack import Stack
from upstream import Upstream

INTERVAL = 5
# Every page, filter and order; those with a forecast keep five horizons of it.
PAGES = (
    "/",
    "/?sev=danger-up&sort=name",
    "/?profile=db&sort=-dmem&q=pp",
    "/?view=compact",
    "/heatmap",
    "/heatmap?metric=cpu&group=profile",
    "/heatmap?sev=watch-up&metric=memory&sort=-value",
    "/top",
    "/top?profile=db&n=10",
    "/server/ppdb001",
    "/history",
    "/incidents",
    "/incidents?sev=critical-up&range=30d",
    "/history?metric=levels&range=8h",
    "/history?metric=risk&range=1d",
    "/cost",
    "/cost?sort=name&cost_per_hour=60000",
    "/remediation",
    "/remediation?sort=-cpu90",
    "/alerting",
)
DATA = ("/api/v1/fleet", "/api/v1/alerts?sort=name", "/api/v1/heatmap?metric=load", "/api/v1/history?range=1h", "/api/v1/incidents", "/api/v1/cost", "/?format=csv", "/heatmap?format=csv", "/history?format=csv", "/incidents?format=csv")


def iso(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(path, moment):
    return f"{path}{'&' if '?' in path else '?'}at={moment}"


def bare(html):
    """What must be equal then and now: the page without the state, the link to the live page, and the moment in links."""
    html = re.sub(r"<title>(\d\d:\d\d - )?", "<title>", html)
    html = re.sub(r'<div id="state".*?</div>', "", html, flags=re.S)
    html = re.sub(r'<section class="panel" id="moments".*?</section>', "", html, flags=re.S)
    html = re.sub(r'<p class="refresh">.*?</p>', "", html, flags=re.S)
    html = re.sub(r'<link rel="stylesheet" href="[^"]*past[^"]*"/><script defer="" src="[^"]*past[^"]*"></script>', "", html)
    html = re.sub(r'<input type="hidden" name="at"[^>]*/>', "", html)
    html = re.sub(r'(\?|&amp;)at=[^"#&]*', "", html)
    html = html.replace('href="?"', 'href=""')
    # Five points of a forecast are kept, not for as long as the moment; the metrics of one server are not.
    html = re.sub(r'<details class="panel" id="foretold">.*?</details>', "", html, flags=re.S)
    html = re.sub(r"<figure>.*?</figure>", "", html, flags=re.S)
    html = re.sub(r'<svg class="outlook".*?</svg>', "", html, flags=re.S)
    html = re.sub(r'<section class="panel" id="metrics".*?</section>', "", html, flags=re.S)
    html = re.sub(r'<section class="panel" id="course".*?</section>', "", html, flags=re.S)
    html = re.sub(r'<details class="panel" id="numbers".*?</details>', "", html, flags=re.S)
    return html


def same_bucket(stack, paths):
    """(bucket, texts by path), all from the same bucket."""

    def attempt():
        answers = {path: stack.get(path) for path in paths}
        buckets = {answer.headers.get("X-TFT-Bucket") for answer in answers.values()}
        states = {answer.status_code for answer in answers.values()}
        fresh = all('data-state="live"' in a.text for a in answers.values() if "html" in a.headers["Content-Type"])
        return (int(buckets.pop()), {p: a.text for p, a in answers.items()}) if len(buckets) == 1 and states == {200} and fresh else None

    return stack.wait(attempt, 40, "all pages of one bucket")


def assert_equal(stack, moment, kept, host=0):
    for path, text in kept.items():
        answer = stack.get(at(path, moment), host=host)
        assert answer.status_code == 200, (path, answer.status_code)
        assert bare(answer.text) == bare(text), path


@pytest.fixture(scope="module")
def fleet():
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        upstream.scenario = "critical"
        with Stack(workers=1, hosts=2, interval=INTERVAL, l1=False, upstream=upstream, ahead=0) as stack:
            stack.wait_fleet()
            yield stack


def test_pages_of_a_past_bucket_are_those_of_then(fleet):
    bucket, kept = same_bucket(fleet, PAGES)
    moment = iso(bucket * INTERVAL * 1000)
    fleet.upstream.predictions.load("predictions_current-degrading-90")
    fleet.upstream.scenario = "degrading"
    fleet.next_snapshot()
    assert_equal(fleet, moment, kept)
    # A hundred buckets later, with the same record over and over.
    newest, record = fleet.redis.xrevrange("tfthist:full", count=1)[0]
    for i in range(1, 101):
        fleet.redis.xadd("tfthist:full", record, id=int(newest.split(b"-")[0]) + i * INTERVAL * 1000)
    assert_equal(fleet, moment, kept)
    fleet.restart_redis()
    fleet.wait(lambda: fleet.get(at("/", moment)).status_code == 200, 15, "Redis is back")
    assert_equal(fleet, moment, kept, host=1)
    fleet.redis.xtrim("tfthist:full", maxlen=1)
    fleet.redis.delete("tfthist:full")
    fleet.upstream.predictions.load("predictions_current-critical-90")


@pytest.fixture(scope="module")
def later(fleet):
    """A moment that is over."""
    for _ in range(2):
        fleet.next_snapshot()
    return int(fleet.redis.xrevrange("tfthist:full", count=2)[1][0].split(b"-")[0])


def test_an_address_has_one_spelling(fleet, later):
    second = later // 1000
    spellings = [second, later, second + INTERVAL - 1, later + 1, iso(later + 1000), iso(later).replace(":", "%3A"), iso(later)[:-1].replace("T", "+")]
    for spelling in spellings:
        for path in ("/heatmap?sort=-name&metric=cpu", "/api/v1/heatmap?sort=-name&metric=cpu", "/heatmap?format=csv&sort=-name&metric=cpu&x=1"):
            answer = fleet.get(at(path, spelling))
            assert answer.status_code == 302, (path, spelling)
            form = "&format=csv" if "csv" in path else ""
            assert answer.headers["Location"] == f"?metric=cpu&sort=-name{form}&at={iso(later)}"
    assert fleet.get(f"/heatmap?metric=cpu&sort=-name&at={iso(later)}").status_code == 200
    for bad in ("x", "0", "2026-02-30", "1e9", "2026-11-28T25:00"):
        answer = fleet.get(f"/api/v1/fleet?at={bad}")
        assert (answer.status_code, answer.json()["parameter"]) == (400, "at")
        assert fleet.get(f"/cost?at={bad}").status_code == 400
    for path in ("/docs", "/roadmap", "/advanced", "/badge/fleet.svg"):
        assert fleet.get(at(path, iso(later))).status_code == 400


def test_headers_let_a_viewer_keep_it(fleet, later):
    for path in ("/", "/api/v1/alerts", "/heatmap?format=csv"):
        answers = [fleet.get(at(path, iso(later)), host=host) for host in (0, 1)]
        assert answers[0].content == answers[1].content
        for answer in answers:
            assert answer.headers["Cache-Control"] == "max-age=86400, immutable"
            assert answer.headers["X-TFT-Bucket"] == str(later // (INTERVAL * 1000))
            assert "tft-redis; hit; detail=PAST" in answer.headers["Cache-Status"]
            assert "Age" not in answer.headers
        tag = answers[0].headers["ETag"]
        assert tag == answers[1].headers["ETag"]
        again = fleet.get(at(path, iso(later)), headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
    assert fleet.head(at("/", iso(later))).status_code == 200
    assert "filename=\"tft_heatmap_" in fleet.get(at("/heatmap?format=csv", iso(later))).headers["Content-Disposition"]


def test_what_is_not_kept_is_a_404_with_the_way_to_its_neighbours(fleet, later):
    first = int(fleet.redis.xrange("tfthist:full", count=1)[0][0].split(b"-")[0])
    thin = int(fleet.redis.xrange("tfthist:thin", count=1)[0][0].split(b"-")[0])
    oldest = min(first, thin)
    before = at("/heatmap?metric=cpu", "2020-01-01T00:00:00Z")
    answer = fleet.get(before)
    assert answer.status_code == 404 and answer.headers["Cache-Control"] == "no-store"
    assert f'href="heatmap?metric=cpu&amp;at={iso(oldest)}"' in answer.text and "The moment before" not in answer.text
    assert 'href="heatmap?metric=cpu"' in answer.text
    for path in ("/api/v1/fleet", "/heatmap?format=csv"):
        answer = fleet.get(at(path, "2020-01-01T00:00:00Z"))
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
        assert (answer.json()["before"], answer.json()["after"][:19] + "Z") == (None, iso(oldest))
    answer = fleet.get(at("/", "2999-01-01T00:00:00Z"))
    assert answer.status_code == 404 and "has not come yet" in answer.text and "The moment before" in answer.text
    answer = fleet.get(at("/server/nobody", iso(later)))
    assert answer.status_code == 404 and "No such server at that moment" in answer.text


def test_a_page_says_that_it_is_of_the_past_and_keeps_its_moment(fleet, later):
    page = fleet.get(at("/?sort=name", iso(later))).text
    clock = iso(later)[11:19]
    assert f"<title>{clock[:5]} - " in page
    assert 'data-state="past"' in page and f"As it was at <time datetime=\"{iso(later)}\">{clock} UTC, " in page
    assert '<a id="live" href="./?sort=name">Back to live</a>' in page
    assert 'http-equiv="refresh"' not in page and "data-reload" not in page and 'class="refresh"' not in page
    links = re.findall(r'href="([^"]*)"', page)
    lead_away = [link.split("#")[0] for link in links if "at=" not in link and "static/" not in link and not link.startswith("#")]
    assert sorted(set(lead_away)) == ["./?sort=name", "advanced", "docs", "roadmap"]
    assert page.count(f'<input type="hidden" name="at" value="{iso(later)}"/>') == 2  # both searches
    for step in ("−1 d", "−1 h", "−5 min", "−5 s", "+5 s", "+5 min", "+1 h", "+1 d"):
        assert f">{step}</a>" in page
    assert f'href="?sort=name&amp;at={iso(later - 3600_000)}" data-step="-3600000"' in page
    strip = re.findall(r'<a href="\?sort=name&amp;at=([^"]*)" tabindex="-1"><title>(\d\d:\d\d): ', page)
    assert strip and all(moment[11:16] == word for moment, word in strip)
    assert fleet.get(at("/?sort=name", strip[-1][0])).status_code == 200
    live = fleet.get("/?sort=name").text
    bucket = int(re.search(r'data-bucket="(\d+)"', live)[1])
    assert f'<a id="moment" href="./?sort=name&amp;at={iso(bucket * INTERVAL * 1000)}">Link to this moment</a>' in live
    assert 'id="moments"' not in live and "past." not in live


def test_json_of_the_past_is_not_the_present(fleet, later):
    then = fleet.get(at("/api/v1/fleet", iso(later))).json()
    assert (then["condition"], then["at"][:19] + "Z", then["bucket"]) == ("past", iso(later), later // (INTERVAL * 1000))
    now = fleet.get("/api/v1/fleet").json()
    assert (now["condition"], now["at"]) == ("ok", None)
    assert [s["name"] for s in then["servers"]] and set(then) == set(now)


def test_past_pages_cause_nothing(fleet, later):
    """No call, no claim, no key, whatever the moment."""

    def keys():
        return {key for key in fleet.redis.scan_iter("tft*") if not re.match(rb"tft:(node|said|lock|calls|s:|.*:\d+$)", key)}

    before, lines = keys(), fleet.logs().count("ev=claim")
    calls, commits = fleet.upstream.predictions.count, fleet.committed()
    for i in range(100):
        fleet.get(at("/", iso(later - i * 60_000)))
    assert fleet.upstream.predictions.count - calls <= fleet.committed() - commits + 1
    assert keys() == before, lines


@pytest.mark.parametrize("path", DATA)
def test_data_of_the_past(fleet, later, path):
    answer = fleet.get(at(path, iso(later)))
    assert answer.status_code == 200 and answer.content


def test_without_redis_there_is_no_past():
    with Stack(workers=1, interval=INTERVAL, l1=False) as stack:
        stack.wait_fleet()
        moment = iso(int(stack.redis.xrevrange("tfthist:full", count=1)[0][0].split(b"-")[0]))
        stack.stop_redis()
        for path in ("/", "/api/v1/fleet"):
            stack.wait(lambda: stack.get(at(path, moment)).status_code == 503, 10, f"503 of {path}")
        stack.restart_redis()
        stack.wait(lambda: stack.get(at("/", moment)).status_code == 200, 15, "the past is back")
