# SPDX-License-Identifier: MIT
"""What a bucket showed is shown again after a day of further buckets, after a restart of Redis, and by another build."""
import csv
import io
import re
import shutil
import sys

import pytest
from stack import BUILD, ROOT, other_build
from test_t1600_moments import DATA, PAGES, at, bare, iso
from timeless import INTERVAL, WINDOW, Timeless
from upstream import Upstream

sys.path.insert(0, str(ROOT / "tests" / "check"))

import checker  # noqa: E402

DAY = 86400
HOURS_BEFORE = 2  # of history, so that changes, incidents and the last hour have something to tell
FLEET = [f"predictions_current-{scenario}-90" for scenario in ("healthy", "degrading", "critical")]
SMALL = [f"predictions_current-{scenario}-20" for scenario in ("healthy", "critical")]
ADDRESSES = (
    *PAGES,
    *DATA,
    "/?page=2",
    "/?view=kiosk&refresh=30",
    "/changes",
    "/changes?since=1h",
    "/history?range=30d",
    *("/api/v1/servers/ppdb001", "/api/v1/top", "/api/v1/changes", "/api/v1/remediation", "/api/v1/alerting"),
    *(f"/{page}?format=csv" for page in ("top", "changes", "cost", "remediation", "alerting")),
)
# Of a forecast no page prints them, so they are not kept.
NOT_KEPT = {"p10_30m", "metrics", "cpu_8h"}
# What differs on purpose.
OF_THEN = {"at", "condition"}


class TwoBuilds(Timeless):
    """The second host runs the program with the id of another build."""

    def start_workers(self, host):
        self.starting = host
        super().start_workers(host)

    def program(self):
        program = BUILD / "tft-dashboard"
        if self.starting is self.hosts[0]:
            return program
        other = self.dir / "tft-dashboard"
        shutil.copy(BUILD / "tft-fetch", self.dir)
        other.write_bytes(other_build(program.read_bytes())[0])
        other.chmod(0o755)
        return other


class Archive:
    """One bucket, everything that it showed, and the buckets after it."""

    def __init__(self, stack):
        self.stack = stack
        stack.wait_fleet(timeout=30)
        stack.commit(HOURS_BEFORE * 3600 // INTERVAL - 1, *FLEET)
        stack.set_time(stack.time() + INTERVAL - WINDOW)
        self.shown = stack.wait(self.look, 120, "all pages of one bucket, live")
        self.moment = iso(self.bucket * INTERVAL * 1000)
        self.further = 0

    def look(self):
        """Shows the first bucket of the next window, since the others are not kept. None if a page reports a fault, or something newer
        than the bucket: on a busy machine Redis may count as down for a moment."""
        self.bucket = self.stack.next_bucket(WINDOW)
        answers = {path: self.stack.get(path) for path in ADDRESSES}
        pages = [answer.text for answer in answers.values() if is_page(answer)]
        quiet = all('data-state="live"' in text and not re.search("cannot be re|asked at|unreachable", text) for text in pages)
        return answers if quiet and {answer.status_code for answer in answers.values()} == {200} else None

    def pass_to(self, further):
        """Commits this many buckets after the one. The last ones have a larger fleet, so the archive must shrink."""
        left, self.further = further - self.further, max(further, self.further)
        if left > 300:
            self.stack.commit(left - 100, *SMALL)
            left = 100
        if left > 0:
            self.stack.commit(left, *FLEET)

    def assert_shown_again(self, host=0):
        for path, live in self.shown.items():
            then = self.stack.wait(lambda: self.answer(path, host), 30, path)
            compare = same_page if is_page(live) else same_data if "json" in live.headers["Content-Type"] else same_table
            compare(live, then, path)

    def answer(self, path, host):
        """Retries: on a busy machine Redis may count as down for a moment."""
        then = self.stack.get(at(path, self.moment), host=host)
        assert then.status_code in (200, 503), (path, then.status_code, then.headers.get("Location"))
        return then if then.status_code == 200 else None


def is_page(answer):
    return "html" in answer.headers["Content-Type"]


def comparable(html):
    html = re.sub(r" build [0-9a-f]{12}", "", html)
    # Forecasts are dropped a day later, when the memory is used up, and the page says so. commits.c stores none for live pages.
    html = re.sub('<p class="note">(No forecast is kept of this moment|The stored forecast of this server cannot be read).</p>', "", html)
    # A wall screen reloads itself; a page of the past does not.
    return re.sub(r' data-reload="\d+"|<meta http-equiv="refresh"[^>]*/>(<!-- -->)?', "", html)


def same_page(live, then, path):
    assert comparable(bare(then.text)) == comparable(bare(live.text)), path


def same_data(live, then, path):
    differing = list(differences(live.json(), then.json()))
    assert differing == [], path
    assert (then.json()["condition"], live.json()["condition"]) == ("past", "ok"), path


def same_table(live, then, path):
    assert list(differences(table(live), table(then))) == [], path


def table(answer):
    """The rows, with numbers converted."""
    rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    return [[float(cell) if re.fullmatch(r"-?\d+(\.\d+)?", cell) else cell for cell in row] for row in rows]


def differences(live, then, where=""):
    """Words and whole numbers must equal those of the live answer, and other numbers to the precision of a page: tenths.""" 
    if isinstance(live, dict) and isinstance(then, dict):
        for key in sorted((set(live) | set(then)) - NOT_KEPT - (set() if where else OF_THEN)):
            yield from differences(live.get(key, "absent"), then.get(key, "absent"), f"{where}.{key}")
    elif isinstance(live, list) and isinstance(then, list) and len(live) == len(then):
        for i, pair in enumerate(zip(live, then)):
            yield from differences(*pair, f"{where}[{i}]")
    elif not (live == then or (isinstance(live, float) and isinstance(then, (int, float)) and abs(live - then) < 0.0501)):
        yield f"{where}: {live!r} then {then!r}"


@pytest.fixture(scope="module")
def archive():
    with Upstream(predictions=FLEET[2]) as upstream:
        upstream.scenario = "critical"
        with TwoBuilds(workers=1, hosts=2, upstream=upstream) as stack:
            yield Archive(stack)


@pytest.mark.parametrize("further", [1, 100, 3000])
def test_all_that_was_shown_is_shown_again_after_further_buckets(archive, further):
    archive.pass_to(further)
    archive.assert_shown_again()


def test_a_restart_of_redis_changes_nothing(archive):
    archive.pass_to(1)
    archive.stack.restart_redis()
    archive.stack.wait(lambda: archive.answer("/", host=0), 30, "Redis is back")
    archive.assert_shown_again()


def test_another_build_shows_the_same(archive):
    archive.pass_to(1)
    archive.assert_shown_again(host=1)
    one, other = (re.findall(r" build ([0-9a-f]{12})", archive.stack.get(at("/", archive.moment), host=host).text) for host in (0, 1))
    assert other[0].startswith("00000000") and one != other


def test_of_what_is_older_than_a_day_the_first_moment_of_five_minutes_is_left(archive):
    archive.pass_to(3000)
    stack, redis = archive.stack, archive.stack.redis
    streams = ("fleet", "full", "thin", "forecasts")
    ids = {stream: [key.decode() for key, _ in redis.xrange(f"tfthist:{stream}")] for stream in streams}
    committed = ids.pop("fleet")
    assert len(committed) > 3000
    scenario = checker.Scenario(
        settings={},
        commits=[{"t": i, "history_id": entry} for i, entry in enumerate(committed)],
        archive=[{"stream": stream, "id": entry} for stream, entries in ids.items() for entry in entries],
    )
    assert list(checker.archive_is_complete(scenario)) == []
    oldest = int(ids["full"][0].split("-")[0]) // 1000
    assert DAY <= stack.time() - oldest < DAY + 1800, "all of a day, and in whole nodes of the stream little more"
    second = iso((archive.bucket + 1) * INTERVAL * 1000)
    answer = stack.wait(lambda: stack.get(at("/", second)), 30, "what is kept of the next bucket")
    assert (answer.status_code, answer.headers["X-TFT-Bucket"]) == (200, str(archive.bucket))
    sizes = [redis.memory_usage(f"tfthist:{stream}", samples=0) for stream in ("full", "thin", "forecasts", "risk")]
    assert sum(sizes) < stack.memory
