# SPDX-License-Identifier: MIT
"""What an operator can do, who may do it, and the page that shows the result."""
import itertools
import re
import time
import xml.etree.ElementTree as tree

import pytest
import requests
from stack import Stack, long_interval

OPERATOR = {"TFT_ANONYMOUS": "operator"}
SAME = {"Sec-Fetch-Site": "same-origin"}
SCENARIOS = ("healthy", "degrading", "critical", "cascade")


@pytest.fixture(scope="module")
def demo():
    """Every visitor is an operator; nothing is refreshed unless a test causes it."""
    with Stack(interval=long_interval(), env=OPERATOR) as stack:
        stack.wait_fleet()
        yield stack


@pytest.fixture
def stack(demo):
    """As after the start: flushing is allowed, everything is healthy, all endpoints answer normally."""
    for endpoint in (demo.upstream.scenario_set, demo.upstream.scenario_status):
        endpoint.release()
        endpoint.reset_controls()
    demo.wait(lambda: knows_healthy(demo), 5, "the scenario healthy")
    demo.upstream.scenario_set.calls.clear()
    return demo


class NextAddress(requests.adapters.HTTPAdapter):
    """Every request comes from another loopback address, because nginx limits the POSTs from each."""

    numbers = itertools.count(256 + 1)

    def init_poolmanager(self, *args, **kw):
        high, low = divmod(next(self.numbers), 256)
        super().init_poolmanager(*args, source_address=(f"127.0.{high}.{low}", 0), **kw)


def post(stack, path, data, headers=SAME):
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", NextAddress())
        return session.post(stack.url(path), data, headers=headers, allow_redirects=False, timeout=15)


def refresh(stack, query="", headers=SAME):
    return post(stack, "/refresh" + query, {"confirm": "1"}, headers)


def shown_scenario(stack):
    """The scenario that the workers know; the micro-cache may be a second behind."""
    return stack.get("/api/v1/status?no-l1").json()["scenario"]


def knows_healthy(stack):
    # A call of the previous test may still end: fail and open the breaker, or set another scenario.
    stack.upstream.scenario = "healthy"
    stack.redis.delete("tft:gate:flush", "tft:actions", "tft:brk:scenario", "tft:budget:scenario")
    return (shown_scenario(stack) or {}).get("scenario") == "healthy"


def set_scenario(stack, name, query="", headers=SAME):
    return post(stack, "/scenario" + query, {"scenario": name, "confirm": "1"}, headers)


def audits(stack):
    return [dict(re.findall(r'(\w+)="?([^" ]*)', line)) for line in stack.logs().splitlines() if " ev=audit " in line]


def last_audit(stack):
    return audits(stack)[-1]


def text_of(page, ident):
    found = re.search(rf'<(\w+)[^>]* id="{ident}"[^>]*>(.*?)</\1>', page, re.S)
    assert found, f"no #{ident}"
    return re.sub(r"<[^>]+>", "", found.group(2))


def buttons(page):
    """{text: enabled}"""
    actions = re.search(r'<section class="panel" id="actions">.*?</section>', page, re.S).group(0)
    return {text: "disabled" not in head for head, text in re.findall(r"<button([^>]*)>([^<]+)</button>", actions)}


# The scenario


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_set_once_and_read_back(stack, name):
    stack.upstream.scenario = "degrading" if name == "healthy" else "healthy"
    answer = set_scenario(stack, name)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"advanced?notice={name}")
    assert answer.headers["Cache-Control"] == "no-store"
    calls = stack.upstream.scenario_set.calls
    assert [call.body for call in calls] == [b'{"scenario":"%s"}' % name.encode()]
    assert calls[0].headers["content-type"] == ["application/json"]
    page = stack.get("/" + answer.headers["Location"]).text
    assert name in text_of(page, "notice")
    assert text_of(page, "scenario").startswith(f"Now: {name}")


def test_the_new_scenario_is_there_for_everybody_at_once(stack):
    set_scenario(stack, "healthy")
    for name in ("degrading", "healthy", "degrading"):
        set_scenario(stack, name)
        assert [shown_scenario(stack)["scenario"] for _ in range(4)] == [name] * 4


def test_a_refresh_that_began_before_does_not_hide_the_new_scenario(stack):
    set_scenario(stack, "healthy")
    stack.redis.set("tft:lock:scenario", "another|1|1", px=10000)
    set_scenario(stack, "critical")
    assert shown_scenario(stack)["scenario"] == "critical"


def test_an_api_client_gets_json(stack):
    answer = set_scenario(stack, "critical", "?format=json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert (body["action"], body["result"], body["scenario"]) == ("scenario.set", "done", "critical")
    assert body["total_affected"] > 0


@pytest.mark.parametrize("name", ["", "bogus", "Healthy", "cascading", "healthy ", "%68ealthy", 'x"}'])
def test_other_names_are_refused_and_never_sent(stack, name):
    answer = set_scenario(stack, name)
    assert answer.status_code == 400
    assert "healthy, degrading, critical, cascade" in answer.text
    assert stack.upstream.scenario_set.count == 0


@pytest.mark.parametrize("body", ["", "confirm=1", "scenario", "xscenario=healthy", "scenario=bogus&scenario=healthy"])
def test_a_form_without_a_valid_scenario_is_refused(stack, body):
    headers = {**SAME, "Content-Type": "application/x-www-form-urlencoded"}
    assert post(stack, "/scenario", body, headers).status_code == 400
    assert stack.upstream.scenario_set.count == 0


@pytest.mark.parametrize("confirm", [{}, {"confirm": ""}, {"confirm": "0"}, {"confirm": "yes"}])
def test_what_is_not_confirmed_is_never_sent(stack, confirm):
    """Whatever the browser, or a client that is not a browser, lets through."""
    answer = post(stack, "/scenario", {"scenario": "critical", **confirm})
    assert answer.status_code == 400
    assert "has to be confirmed" in answer.text and "confirm=1" in answer.text
    assert stack.upstream.scenario_set.count == 0


def test_scenario_that_an_older_generator_does_not_know_is_not_claimed(stack):
    stack.upstream.scenarios = ("healthy", "degrading", "critical")
    answer = set_scenario(stack, "cascade", "?format=json")
    stack.upstream.scenarios = SCENARIOS
    assert (answer.status_code, answer.json()["result"], answer.json()["scenario"]) == (502, "unchanged", "healthy")
    assert stack.upstream.scenario_set.count == 1


def test_a_generator_that_accepts_and_does_nothing_is_found_out(stack):
    stack.upstream.scenario_set.body = b'{"status":"success"}'
    answer = set_scenario(stack, "degrading")
    assert answer.headers["Location"] == "advanced?notice=unchanged"
    answer = set_scenario(stack, "degrading", "?format=json")
    assert (answer.status_code, answer.json()["result"], answer.json()["scenario"]) == (502, "unchanged", "healthy")
    assert last_audit(stack)["result"] == "unchanged"


def test_a_generator_that_hangs_costs_two_time_outs_and_is_unknown(stack):
    stack.upstream.scenario_set.hold()
    stack.upstream.scenario_status.hold()
    began = time.monotonic()
    answer = set_scenario(stack, "critical", "?format=json")
    took = time.monotonic() - began
    assert 1.9 < took < 3.5
    assert (answer.status_code, answer.json()["result"], answer.json()["scenario"]) == (502, "unknown", None)
    assert stack.upstream.scenario_set.count == 1


def test_a_set_that_hangs_but_works_is_reported_by_what_is_read_back(stack):
    stack.upstream.scenario_set.hold()
    stack.upstream.scenario = "critical"
    answer = set_scenario(stack, "critical")
    assert answer.headers["Location"] == "advanced?notice=critical"
    assert stack.upstream.scenario_set.count == 1


def test_a_connection_that_is_cut_is_not_tried_again(stack):
    stack.upstream.scenario_set.cut = -1
    set_scenario(stack, "degrading")
    assert stack.upstream.scenario_set.count == 1


# Refresh


def test_refresh_makes_one_call_and_is_limited(stack):
    before = stack.upstream.predictions.count
    snap = stack.redis.hget("tft:cur:fleet", "snap")
    answer = refresh(stack)
    assert (answer.status_code, answer.headers["Location"]) == (303, "advanced?notice=refreshed")
    page = stack.get("/advanced?notice=refreshed")
    assert "flushed" in text_of(page.text, "notice")
    stack.wait(lambda: stack.get("/advanced") and stack.redis.hget("tft:cur:fleet", "snap") != snap, 5, "new data")
    assert stack.upstream.predictions.count == before + 1
    again = refresh(stack, "?format=json")
    assert again.status_code == 429
    assert 1 <= int(again.headers["Retry-After"]) <= 5
    assert again.headers["Content-Type"] == "application/problem+json"
    assert last_audit(stack)["result"] == "limited"


def test_refresh_as_json(stack):
    answer = refresh(stack, "?format=json")
    assert (answer.status_code, answer.json()) == (200, {"action": "refresh", "result": "done"})


def test_without_redis_refresh_says_so_and_the_scenario_still_works(stack_factory):
    stack = stack_factory(redis=False, env=OPERATOR)
    assert refresh(stack).status_code == 503
    assert set_scenario(stack, "critical").headers["Location"] == "advanced?notice=critical"
    page = stack.wait(lambda: "cannot be reached" in (answer := stack.get("/advanced")).text and answer, 10, "the reason")
    assert page.status_code == 200


# Who may, and from where


def test_other_methods_learn_what_is_allowed(stack):
    for path in ("/refresh", "/scenario"):
        for method in ("GET", "HEAD", "PUT", "OPTIONS"):
            answer = stack.request(method, path)
            assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/refresh", "/scenario"])
@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://other.example"}, 403),
        ({**SAME, "Content-Type": "application/json"}, 415),
        ({**SAME, "Content-Type": "text/plain"}, 415),
    ],
)
def test_what_is_not_an_own_form_changes_nothing(stack, path, headers, status):
    epoch, told = stack.redis.get("tft:epoch:fleet"), len(audits(stack))
    answer = post(stack, path, {"scenario": "critical"}, headers)
    assert answer.status_code == status
    assert stack.redis.get("tft:epoch:fleet") == epoch
    assert stack.upstream.scenario_set.count == 0
    assert len(audits(stack)) == told


def test_a_script_on_this_host_needs_no_headers(stack):
    assert set_scenario(stack, "degrading", headers={}).status_code == 303


def test_the_configured_origin_is_the_only_one(stack_factory):
    stack = stack_factory(env={**OPERATOR, "TFT_AUTH_ORIGIN": "http://dashboard.example"})
    assert refresh(stack, headers={"Origin": "http://dashboard.example:81"}).status_code == 403
    assert refresh(stack, headers={"Origin": "http://dashboard.example"}).status_code == 303


def test_a_viewer_sees_the_forms_but_cannot_use_them(stack_factory):
    stack = stack_factory()
    stack.wait_fleet()
    page = stack.get("/advanced").text
    assert "Actions need the operator role" in text_of(page, "role")
    assert buttons(page) == {"Refresh now": False, "Healthy": False, "Degrading": False, "Critical": False, "Cascade": False}
    epoch = stack.redis.get("tft:epoch:fleet")
    for answer in (refresh(stack), set_scenario(stack, "critical"), refresh(stack, headers={})):
        assert answer.status_code == 403
        assert "operator role" in answer.text
    assert stack.upstream.scenario_set.count == 0
    assert stack.redis.get("tft:epoch:fleet") == epoch


def test_without_a_generator_there_is_no_scenario_to_set(stack_factory):
    stack = stack_factory(env={**OPERATOR, "TFT_GENERATOR_URL": ""})
    stack.wait_fleet()
    assert set_scenario(stack, "critical").status_code == 404
    page = stack.get("/advanced").text
    assert text_of(page, "scenario") == "No metrics generator is configured."
    assert buttons(page) == {"Refresh now": True, "Healthy": False, "Degrading": False, "Critical": False, "Cascade": False}


def test_a_generator_that_is_gone_disables_its_form(stack):
    stack.upstream.scenario_status.fail()
    set_scenario(stack, "degrading")
    page = stack.get("/advanced").text
    assert text_of(page, "scenario") == "The generator does not answer: answered 5xx"
    assert buttons(page)["Refresh now"] and not buttons(page)["Critical"]


# What is told afterwards


def test_every_action_leaves_one_audit_line(stack):
    told = len(audits(stack))
    set_scenario(stack, "healthy")
    for _ in range(15):
        set_scenario(stack, "critical")
        set_scenario(stack, "degrading", headers={})
    lines = audits(stack)[told:]
    assert len(lines) == 31  # this is only counted
    expected = dict(user="-", role="operator", action="scenario.set", result="done")
    expected |= {"from": "degrading", "to": "critical"}
    assert lines[-2] == lines[-2] | expected
    assert lines[-2]["ip"].startswith("127.0.")


def test_the_page_lists_who_did_what(stack):
    set_scenario(stack, "critical")
    refresh(stack)
    page = stack.get("/advanced").text
    table = re.search(r"<caption>Last actions.*?</table>", page, re.S).group(0)
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
    assert len(rows) == 2
    assert "refresh" in rows[0]
    assert all(word in rows[1] for word in ("|-|", "scenario.set", "critical", "done"))
    assert stack.redis.pttl("tft:actions") > 0


def test_actions_are_counted(stack):
    refresh(stack)
    series = 'tft_dashboard_actions_total{action="refresh",result="done"}'
    stack.wait(lambda: stack.get("/healthz") and series in stack.get("/metrics").text, 5, "the counter")


# The page


def test_the_page_is_kept_by_nobody(stack):
    for _ in range(3):
        answer = stack.get("/advanced")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "hit" not in answer.headers["Cache-Status"].split(", nginx")[-1]
        assert "ETag" not in answer.headers
    assert not list(stack.redis.scan_iter("tft:advanced:*"))


def test_a_notice_is_one_of_the_list_and_no_link_repeats_it(stack):
    assert stack.get("/advanced?notice=bogus").status_code == 400
    page = stack.get("/advanced?notice=critical").text
    assert 'id="notice"' in page
    assert "notice=" not in page
    assert 'id="notice"' not in stack.get("/advanced").text


def test_the_page_shows_calls_cache_and_settings(stack_factory):
    stack = stack_factory(env={**OPERATOR, "TFT_API_KEY": "a-key-that-must-not-show"})
    stack.wait_fleet()
    stack.wait(lambda: stack.redis.llen("tft:calls:fleet"), 5, "the note of the call")
    page = stack.get("/advanced").text
    assert "a-key-that-must-not-show" not in page
    assert ">***<" in page
    assert text_of(page, "last-call").startswith("ok, ")
    assert text_of(page, "breaker") == "closed"
    assert text_of(page, "warmup").startswith("complete, ")
    assert text_of(page, "epoch") == stack.redis.get("tft:epoch:fleet").decode()
    assert stack.upstream.daemon_url in page
    rows = re.findall(r'<tr><th scope="row"><span title="[^"]+">([\w.]+)</span></th><td><code>', page)
    assert rows[0] == "upstream.daemon_url" and "auth.origin" in rows


def test_a_failing_daemon_is_told(stack_factory, upstream):
    upstream.predictions.fail()
    stack = stack_factory(upstream=upstream)
    stack.wait(lambda: stack.redis.exists("tft:brk:fleet"), 5, "the breaker")
    answer = stack.get("/advanced")
    assert answer.status_code == 200
    assert text_of(answer.text, "last-call").startswith("answered 5xx since ")
    assert text_of(answer.text, "breaker").startswith("open until ")


def test_it_is_well_formed(stack):
    set_scenario(stack, "critical")
    page = stack.get("/advanced?notice=critical").text
    assert tree.fromstring(page.replace("<!DOCTYPE html>", "")).tag == "html"
