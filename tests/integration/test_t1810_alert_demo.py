# SPDX-License-Identifier: MIT
"""start_all.sh --alerts: the dashboard, Alertmanager with the shipped routes, and the receiver are connected."""
import re
import subprocess

import pytest
import requests
from stack import ROOT, wait_until
from test_t0090_scripts import Site


@pytest.fixture(scope="module")
def site():
    one = Site()
    yield one
    one.remove()


def post(url, ends="2100-01-01T00:00:00Z"):
    """One server, at two levels."""
    labels = {"alertname": "TftServerRisk", "fleet": "demo", "server": "x", "profile": "db"}
    alerts = [
        {"labels": {**labels, "severity": severity}, "annotations": {"summary": "x is\nhot"}, "endsAt": ends, "startsAt": "2026-01-01T00:00:00Z"}
        for severity in ("critical", "danger")
    ]
    assert requests.post(url + "/api/v2/alerts", json=alerts, timeout=10).status_code == 200


def states(url):
    alerts = requests.get(url + "/api/v2/alerts", timeout=10).json()
    return {alert["labels"]["severity"]: alert["status"]["state"] for alert in alerts if alert["labels"].get("server") == "x"}


def set_scenario(site, name):
    answer = requests.post(site.url + "scenario", data={"scenario": name, "confirm": "1"}, headers={"Sec-Fetch-Site": "same-origin"}, timeout=10)
    assert answer.status_code == 200, answer.text


def told(site, words):
    return re.findall(rf"^\S+Z {words}$", (site.run_dir / "log" / "receiver.log").read_text(), re.M)


def test_what_fires_is_told_to_the_receiver_of_its_severity(site):
    out = site.start("--demo", "--alerts", TFT_REFRESH_INTERVAL="5").stdout
    url = re.search(r"^Alertmanager: (http://127.0.0.1:\d+)", out, re.M)[1]
    assert {"receiver", "alertmanager"} <= site.leaders().keys()
    wait_until(lambda: 'alert_posts_total{result="ok"}' in site.get("metrics").text, 30, "the dashboard posts alerts")
    assert "Alerts are sent to Alertmanager" in site.get("alerting").text
    set_scenario(site, "critical")
    wait_until(lambda: told(site, r"\S+ firing \w+ TftServerRisk pp\w+ is at risk .*"), 180, "a server at risk is told of")
    set_scenario(site, "healthy")
    wait_until(lambda: told(site, r"\S+ resolved \w+ TftServerRisk pp\w+ is below \w+"), 300, "the receiver is told of its end")
    post(url)
    wait_until(lambda: told(site, r"on-call firing critical TftServerRisk x is\\nhot"), 60, "the receiver is told")
    assert states(url) == {"critical": "active", "danger": "suppressed"}
    post(url, "2026-01-02T00:00:00Z")
    wait_until(lambda: told(site, r"on-call resolved critical TftServerRisk x is\\nhot"), 60, "the receiver is told of the end")

    assert "another one" in site.script("start_all.sh", "--alerts", TFT_ALERTMANAGER=url).stderr
    assert site.stop().returncode == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/-/ready", timeout=10)


def test_the_shipped_routes_are_valid():
    result = subprocess.run(["amtool", "check-config", ROOT / "prometheus" / "alertmanager.yml"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
