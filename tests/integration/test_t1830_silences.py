# SPDX-License-Identifier: MIT
"""Operators silence alerts in a real Alertmanager: exactly those that the form says, until the time that it says."""
import html
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import pytest
import requests
from alertmanager import Alertmanager, Server, answer
from stack import Stack, long_interval, wait_until
from test_t0160_actions import last_audit, post, text_of

FLEET = "north"
NAMES = ("ppweb001", 'a"b\\c', "two\nlines", "cr\r\nlf", "{x}", ".*", "a|b", "müller", "日本", "%41", "x=~y,z", "<b>&'")


class Front:
    """The first of the two Alertmanagers: it is away, or answers what a test wants."""

    def __init__(self):
        self.reply = None
        self.asked = []
        self.server = Server(self.take)

    def take(self, handler, body):
        self.asked.append((handler.command, handler.path, body))
        answer(handler, *(self.reply or (503,)))

    def silenced(self):
        return [asked for asked in self.asked if "/silence" in asked[1]]


@pytest.fixture(scope="module")
def alertmanager():
    with Alertmanager() as running:
        yield running


@pytest.fixture(scope="module")
def front():
    running = Front()
    yield running
    running.server.close()


@pytest.fixture(scope="module")
def running(alertmanager, front):
    env = {"TFT_ANONYMOUS": "operator", "TFT_ALERTMANAGER": f"{front.server.url},{alertmanager.url}", "TFT_FLEET": FLEET}
    with Stack(interval=long_interval(), l1=False, env=env) as stack:
        stack.wait_fleet()
        yield stack


@pytest.fixture
def stack(running, front):
    front.reply = None
    front.asked.clear()
    return running


def silence(stack, **fields):
    return post(stack, "/silence", {"hours": "1", "comment": "disk swap", **fields})


def silence_server(stack, name, **fields):
    return silence(stack, server=quote(name, safe=""), **fields)


def silences(alertmanager):
    return requests.get(alertmanager.url + "/api/v2/silences", timeout=10).json()


def newest(alertmanager):
    return max(silences(alertmanager), key=lambda one: one["updatedAt"])


def end_all(alertmanager):
    for one in silences(alertmanager):
        if one["status"]["state"] != "expired":
            requests.delete(f"{alertmanager.url}/api/v2/silence/{one['id']}", timeout=10)


def matchers(one):
    return sorted((m["name"], m["value"], m["isRegex"], m["isEqual"]) for m in one["matchers"])


def tell(alertmanager, *alerts):
    """Alerts of (server, profile, fleet)."""
    body = [
        {"labels": {"alertname": "TftServerRisk", "server": server, "profile": profile, "fleet": fleet}} for server, profile, fleet in alerts
    ]
    answered = requests.post(alertmanager.url + "/api/v2/alerts", json=body, timeout=10)
    assert answered.status_code == 200, answered.text


def told(alertmanager):
    """{(server, profile, fleet): silenced}"""
    alerts = requests.get(alertmanager.url + "/api/v2/alerts", timeout=10).json()
    return {
        tuple(alert["labels"].get(label) for label in ("server", "profile", "fleet")): bool(alert["status"]["silencedBy"]) for alert in alerts
    }


def silenced(alertmanager, *alerts):
    """Those of them that are silenced, once Alertmanager has all of them and at least one is."""
    tell(alertmanager, *alerts)
    found = {}

    def is_known():
        found.update(told(alertmanager))
        return all(alert in found for alert in alerts) and any(found[alert] for alert in alerts)

    wait_until(is_known, 20, "the silence is in force")
    return [alert for alert in alerts if found[alert]]


def form_of(page):
    """(action, hidden fields) of the form that silences."""
    found = re.search(r'<details class="silence">.*?<form method="post" action="([^"]*)">(.*?)</form>', page, re.S)
    assert found, "no form"
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"/>', found.group(2))
    return found.group(1), {name: html.unescape(value) for name, value in fields}, html.unescape(re.sub(r"<[^>]+>", "", found.group(2)))


def test_the_form_of_a_server_creates_a_silence_with_an_end(stack, alertmanager, front):
    action, fields, words = form_of(stack.get("/server/ppweb001").text)
    assert (action, fields) == ("../silence", {"server": "ppweb001"})
    assert "All alerts of ppweb001." in words and "Operators only" in words
    answered = post(stack, "/silence", {**fields, "hours": "4", "ends": "", "comment": 'disk "swap"'})
    assert (answered.status_code, answered.headers["Location"]) == (303, "advanced?notice=silenced")
    one = newest(alertmanager)
    assert matchers(one) == [("fleet", FLEET, False, True), ("server", "ppweb001", False, True)]
    assert (one["createdBy"], one["comment"], one["status"]["state"]) == ("operator", 'disk "swap"', "active")
    ends = datetime.fromisoformat(one["endsAt"].replace("Z", "+00:00"))
    assert abs(ends - datetime.now(timezone.utc) - timedelta(hours=4)) < timedelta(minutes=5)
    assert [command for command, _, _ in front.silenced()] == ["POST"], "the first is asked, is away, and the second has it"

    audit = last_audit(stack)
    assert (audit["action"], audit["from"], audit["to"], audit["result"]) == ("silence.set", "ppweb001", f"{ends:%Y-%m-%dT%H:%M:%SZ}", "done")
    assert audit["silence"] == one["id"] and 'comment="disk \\"swap\\""' in stack.logs()
    page = stack.get("/" + answered.headers["Location"]).text
    assert "has taken the silence" in text_of(page, "notice")
    assert f"{ends:%Y-%m-%dT%H:%M:%SZ}" in page and "silence.set" in page
    end_all(alertmanager)


def test_a_row_of_the_alerts_has_the_form(stack):
    action, fields, _ = form_of(stack.get("/?row=ppetl002").text)
    assert (action, fields) == ("silence", {"server": "ppetl002"})


@pytest.mark.parametrize("path", ["/", "/?view=compact&q=web", "/server/ppweb001?view=compact", "/?sev=danger-up"])
def test_elsewhere_there_is_none(stack, path):
    assert 'class="silence"' not in stack.get(path).text


def test_any_name_is_meant_exactly(stack, alertmanager):
    for name in NAMES:
        assert silence_server(stack, name).status_code == 303, name
        assert ("server", name, False, True) in matchers(newest(alertmanager))
        others = [(other, "generic", FLEET) for other in (*NAMES, name + "x", "x" + name) if other != name]
        mine = (name, "generic", FLEET)
        assert silenced(alertmanager, mine, (name, "generic", "south"), *others) == [mine], name
        end_all(alertmanager)


@pytest.mark.parametrize(
    "part, inside, outside",
    [
        ("web", ["web", "xWEBy", "a\nweb\nb"], ["we", "w3b", "wexb"]),
        ("a.b", ["xA.bx"], ["axb"]),
        ("\\.+*?()|[]{}^$", ["<\\.+*?()|[]{}^$>"], ["\\.+*?()|[]{}^", "x"]),
        ("k s", ["K S"], ["\u212a s", "k \u017f"]),
        ("日|x", ["一日|X"], ["日", "x", "日x"]),
    ],
)
def test_a_part_of_a_name_is_no_expression(stack, alertmanager, part, inside, outside):
    assert silence(stack, q=part).status_code == 303
    mine = [(name, "web", FLEET) for name in inside]
    others = [(name, "web", FLEET) for name in outside]
    assert sorted(silenced(alertmanager, *mine, *others, (inside[0], "web", "south"))) == sorted(mine)
    end_all(alertmanager)


def test_the_form_of_a_filter_says_which_servers_it_covers(stack, alertmanager):
    action, fields, words = form_of(stack.get("/?profile=web&q=PPWEB00").text)
    assert (action, fields) == ("silence", {"profile": "web", "q": "ppweb00"})
    assert "every server of profile Web" in words and "whose name contains ppweb00" in words and "also of those that come later" in words
    covered = sorted(re.search(r" Now: (.*?)\. Operators", words, re.S).group(1).split(", "))
    assert covered and all(name.startswith("ppweb00") for name in covered)
    assert silence(stack, **fields).status_code == 303
    assert (last_audit(stack)["profile"], last_audit(stack)["q"]) == ("web", "ppweb00")
    mine = [(name, "web", FLEET) for name in covered]
    assert sorted(silenced(alertmanager, *mine, (covered[0], "db", FLEET), ("ppweb1", "web", FLEET))) == mine
    end_all(alertmanager)


def test_a_time_may_be_typed(stack, alertmanager):
    until = datetime.now(timezone.utc) + timedelta(days=2)
    assert silence_server(stack, "ppweb001", ends=f"{until:%Y-%m-%d %H:%M}").status_code == 303
    assert newest(alertmanager)["endsAt"] == f"{until:%Y-%m-%dT%H:%M:00.000Z}"
    end_all(alertmanager)


def test_it_is_ended_early_once_and_a_foreign_one_is_left(stack, alertmanager):
    silence_server(stack, "ppweb001")
    one = newest(alertmanager)["id"]
    answered = post(stack, "/silence-end", {"id": one})
    assert (answered.status_code, answered.headers["Location"]) == (303, "advanced?notice=silence-ended")
    assert {s["id"]: s["status"]["state"] for s in silences(alertmanager)}[one] == "expired"
    assert (last_audit(stack)["action"], last_audit(stack)["silence"], last_audit(stack)["result"]) == ("silence.end", one, "done")
    unknown = post(stack, "/silence-end", {"id": "no-such-silence"})
    assert unknown.status_code == 502 and "Alertmanager refused it" in unknown.text

    body = {
        "matchers": [{"name": "fleet", "value": "south", "isRegex": False, "isEqual": True}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z", "createdBy": "bob", "comment": "his",
    }
    foreign = requests.post(alertmanager.url + "/api/v2/silences", json=body, timeout=10).json()["silenceID"]
    assert post(stack, "/silence-end", {"id": foreign}).status_code == 403
    assert {s["id"]: s["status"]["state"] for s in silences(alertmanager)}[foreign] == "active"
    end_all(alertmanager)


def test_what_an_alertmanager_refuses_is_said_in_its_words(stack, alertmanager, front):
    before = len(silences(alertmanager))
    front.reply = (400, b'"<script>no</script>' + 5000 * b"x" + b'\xff"\n', "application/json")
    answered = silence_server(stack, "ppweb001")
    assert answered.status_code == 502 and "refused it: nothing has changed" in answered.text
    words = re.search(r"It said: <code>(.*?)</code>", answered.text).group(1)
    assert words.startswith("&lt;script&gt;no") and len(html.unescape(words)) <= 200
    assert last_audit(stack)["result"] == "refused" and len(silences(alertmanager)) == before


def test_where_none_answers_nothing_changes(stack, alertmanager):
    alertmanager.stop()
    try:
        answered = silence_server(stack, "ppweb001")
    finally:
        alertmanager.start()
    assert answered.status_code == 502 and "No Alertmanager answered: nothing has changed" in answered.text
    assert last_audit(stack)["result"] == "away"


@pytest.mark.parametrize("headers, status", [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Origin": "https://other.example"}, 403)])
@pytest.mark.parametrize("path", ["/silence", "/silence-end"])
def test_another_site_silences_nothing(stack, front, path, headers, status):
    form = {"server": "ppweb001", "hours": "1", "comment": "x", "id": "a"}
    assert post(stack, path, form, headers).status_code == status
    assert front.silenced() == []


def renew(stack):
    """The next data, in the same bucket."""
    before = stack.redis.hget("tft:cur:fleet", "snap")
    stack.redis.delete("tft:gate:flush")
    assert post(stack, "/refresh", {"confirm": "1"}).status_code == 303
    stack.wait(lambda: stack.get("/") and stack.redis.hget("tft:cur:fleet", "snap") != before, what="the next data")


def ends(stack):
    """The silences that the page has a button for."""
    return re.findall(r'name="id" value="([^"]*)">End<', stack.get("/alerting").text)


def test_the_next_data_show_it_with_a_button_that_ends_it(stack, alertmanager):
    assert silence_server(stack, "ppweb002", comment="fan").status_code == 303
    mine = newest(alertmanager)["id"]
    renew(stack)
    stack.wait(lambda: mine in ends(stack), what="the button")
    assert post(stack, "/silence-end", {"id": mine}).status_code == 303
    renew(stack)
    stack.wait(lambda: mine not in ends(stack), what="no button")
    assert f'id="silence-{mine}"><td>ended' in stack.get("/alerting").text


def test_a_viewer_silences_nothing(alertmanager, front):
    env = {"TFT_ALERTMANAGER": f"{front.server.url},{alertmanager.url}", "TFT_FLEET": FLEET}
    front.asked.clear()
    before = silences(alertmanager)
    with Stack(interval=long_interval(), l1=False, env=env) as stack:
        stack.wait_fleet()
        for refused in (silence_server(stack, "ppweb001"), post(stack, "/silence-end", {"id": "0a-1"})):
            assert refused.status_code == 403
            assert "operator role" in refused.text
    assert front.silenced() == [] and silences(alertmanager) == before


def test_only_a_whole_form_is_sent(stack, front):
    with requests.Session() as session:
        session.trust_env = False
        refused = session.get(stack.url("/silence"), timeout=10)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    bad = silence_server(stack, "ppweb001", comment=" ")
    assert bad.status_code == 400 and "A silence needs a comment" in bad.text
    assert front.silenced() == []
