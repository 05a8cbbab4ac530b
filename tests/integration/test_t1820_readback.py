# SPDX-License-Identifier: MIT
"""What a real Alertmanager knows is read back once per bucket, and all pages show it: alerts, receivers, silences."""
import json
import re

import pytest
from test_t1800_alerts import HOT, alertmanager, gate, is_hot, next_post, start  # noqa: F401

RISK = {"name": "server", "value": HOT}


@pytest.fixture
def running(start, alertmanager):  # noqa: F811
    """HOT has its alerts."""
    stack = start(alertmanager.gate, hosts=2)
    is_hot(stack, True)
    told_of(stack, alertmanager.gate, lambda: alerts(stack).get("Danger", {}).get("state") == "active")
    return stack


def told_of(stack, gate, is_told):  # noqa: F811
    """From snapshot to snapshot, until pages show it: what was read in one bucket is shown in the next."""
    for _ in range(5):
        next_post(stack, gate)
        if is_told():
            return
    assert is_told()


def state(stack):
    return stack.get("/api/v1/alerting").json()["alertmanager"]


def alerts(stack):
    return {alert["severity"]: alert for alert in state(stack)["alerts"] if alert["server"] == HOT}


def silenced(stack, host=0):
    return HOT in re.findall(r'<tr id="srv-([^"]*)" data-silenced=""', stack.get("/", host=host).text)


def past(stack, path):
    """The page of the last moment."""
    moment = stack.get("/api/v1/fleet").json()["generated_at"]
    canonical = stack.get(f"{path}?at={moment}").headers["Location"]
    answer = stack.get(path + canonical)
    assert answer.status_code == 200
    return answer.text


def title(stack, path="/"):
    return re.search(r"<title>([^<]*)", stack.get(path).text)[1]


def test_silences_of_others_and_ours_are_shown_and_end(running, alertmanager):  # noqa: F811
    stack, gate = running, alertmanager.gate  # noqa: F811
    known, told = alerts(stack)["Danger"], state(stack)
    assert (known["alertname"], known["receivers"], known["state"], known["silence"]) == ("TftServerRisk", "test", "active", None)
    assert told["version"] in stack.get("/alerting").text and told["cluster"] == "disabled" and told["fault"] is None
    loud = title(stack)
    assert "Imminent" in loud

    ours = alertmanager.silence([RISK, {"name": "fleet", "value": "north"}], 'disk "swap"\n<b>')
    other = alertmanager.silence([{"name": "server", "value": "elsewhere.*", "isRegex": True}], "of others")
    alertmanager.silence([{"name": "fleet", "value": "south"}])
    told_of(stack, gate, lambda: silenced(stack))
    assert silenced(stack, host=1), "all hosts show the same"
    page = stack.get("/").text
    assert page.index(f'id="srv-{HOT}"') > 0 and "silenced until <time" in page and "by ann: disk &quot;swap&quot;\n&lt;b&gt;" in page
    assert "1 is silenced." in page and f'id="case-{HOT}"' in page
    assert "Imminent" not in title(stack)
    assert "silenced until" in stack.get(f"/server/{HOT}").text and "silenced until" in stack.get("/?sort=name").text
    (alert,) = [alert for alert in stack.get("/api/v1/alerts").json()["alerts"] if alert["server"] == HOT]
    shown = {silence["id"]: silence for silence in state(stack)["silences"]}
    assert shown.keys() == {ours, other}, "one of another fleet is not ours to show"
    assert (shown[ours]["is_ours"], shown[other]["is_ours"]) == (True, False)
    assert alert["silenced_until"] == shown[ours]["until"] and shown[ours]["comment"] == 'disk "swap"\n<b>'
    listed = stack.get("/alerting").text
    assert f'id="silence-{ours}"' in listed and f'id="silence-{other}"' in listed
    assert re.findall(r'name="id" value="([^"]*)">End<', listed) == [ours], "one of others is ended elsewhere"
    assert {alert["silence"] for alert in alerts(stack).values()} == {ours}
    then = [past(stack, path) for path in ("/", "/alerting")]
    assert not any("silenced until" in page for page in then), "nothing of it is kept"
    assert "What it did then is not kept" in then[1]

    alertmanager.unsilence(ours)
    told_of(stack, gate, lambda: not silenced(stack))
    assert title(stack) == loud
    assert {silence["id"]: silence["state"] for silence in state(stack)["silences"]}[ours] == "ended"
    assert gate.asked.count("/api/v2/silences") <= len(gate.posts), "at most once per bucket over all hosts"


def test_only_alertmanager_decides_on_expressions(running, alertmanager):  # noqa: F811
    alertmanager.silence([{"name": "server", "value": HOT[:3] + ".*", "isRegex": True}], "all of these")
    told_of(running, alertmanager.gate, lambda: silenced(running))
    assert "by ann: all of these" in running.get("/").text


def test_what_is_no_alertmanager_is_told_and_changes_nothing(running, alertmanager):  # noqa: F811
    stack, gate = running, alertmanager.gate  # noqa: F811
    alertmanager.silence([RISK])
    told_of(stack, gate, lambda: silenced(stack))
    gate.answers["/api/v2/silences"] = b'{"a": [1'
    told_of(stack, gate, lambda: 'class="untold"' in stack.get("/").text)
    assert silenced(stack), "what was read holds until it ends"
    assert state(stack)["fault"] == "answer not understood"
    assert "It cannot be read since" in stack.get("/alerting").text
    assert re.search(r'id="alerts-read">.*: answer not understood', stack.get("/advanced").text)
    assert "No Alertmanager has taken" not in stack.get("/").text, "it has taken the alerts"
    assert "ev=alertmanager_unread alertmanager=1 result=not-understood" in stack.logs()
    stack.wait(lambda: 'alert_reads_total{result="not-understood"}' in stack.get("/metrics").text, what="it is counted")

    gate.answers["/api/v2/silences"] = json.dumps([]).encode()
    told_of(stack, gate, lambda: not silenced(stack))
    assert 'class="untold"' not in stack.get("/").text


def test_a_state_that_nobody_answers_is_given_up(start, gate):  # noqa: F811
    """The alerts have been taken before."""
    stack = start(gate)
    gate.answers["/api/v2/status"] = None
    told_of(stack, gate, lambda: 'class="untold"' in stack.get("/").text)
    assert "ev=alertmanager_unread alertmanager=1 result=timed-out" in stack.logs()
    assert stack.get("/readyz").json()["status"] == "pass"
