# SPDX-License-Identifier: MIT
"""What is shipped for Prometheus and Grafana: rules, scrape example and dashboard use series that exist, and Prometheus accepts
them. Grafana is not a package of Debian, so its dashboard is checked against what an import needs."""
import itertools
import json
import re
import shutil
import subprocess

import pytest
import yaml

from sources import ROOT

RULES = ROOT / "prometheus" / "rules.yml"
TESTS = ROOT / "prometheus" / "rules_test.yml"
DASHBOARD = json.loads((ROOT / "grafana" / "dashboard.json").read_text())
PANELS = DASHBOARD["panels"]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
# What Grafana puts in place of its variables.
FILLED_IN = {"$__rate_interval": "1m", "$profile": ".*", "$server": "ppdb001"}

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")


def exported():
    """Every series by name: the tables of the two programs that print them, with what a histogram or summary adds."""
    counters = re.findall(r'X\(\w+, "(\w+)", "(\w+)",', (ROOT / "include" / "cache" / "metrics.h").read_text())
    more = {"histogram": ["_bucket", "_sum", "_count"], "summary": ["_sum", "_count"]}
    names = {f"tft_dashboard_{name}{end}" for name, kind in counters for end in more.get(kind, [""])}
    text = "".join((ROOT / "src" / path).read_text() for path in ("server/health.c", "cache/metrics.c", "pages/fleet_metrics.c"))
    gauges = {f"tft_dashboard_{name}" for name in re.findall(r'put_gauge\(\w+, "(\w+)"', text)}
    return names | gauges | set(re.findall(r'"(tft_(?:server|servers|environment|incident|snapshot|forecast)_?\w*)"', text)) | {"tft_dashboard_build_info"}


def alerts():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions():
    """(where, PromQL) of the dashboard, with its variables filled in."""
    for panel in PANELS:
        for target in panel.get("targets", []):
            text = target["expr"]
            for name, value in FILLED_IN.items():
                text = text.replace(name, value)
            yield f"{panel['title']} {target['refId']}", text


def series_in(text):
    return set(re.findall(r"\btft_\w+", text))


def test_the_manual_has_every_series_and_no_other():
    manual = set(re.findall(r"^\.It Li (tft_\w+)$", (ROOT / "src" / "tft-dashboard-protocol.7").read_text(), re.M))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in exported()} == manual


@needs_promtool
def test_prometheus_accepts_the_rules_and_they_do_what_they_say():
    for words in (["check", "rules", RULES.name], ["test", "rules", TESTS.name]):
        result = subprocess.run(["promtool", *words], cwd=RULES.parent, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stdout + result.stderr


def test_each_rule_is_tested_to_fire_and_to_be_silent():
    cases = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fires == silent == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_a_rule_uses_series_that_exist_and_says_what_is_wrong(rule):
    assert series_in(rule["expr"]) and series_in(rule["expr"]) <= exported()
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"] and rule["annotations"]["description"]


@needs_promtool
def test_prometheus_accepts_the_scrape_example(tmp_path):
    text = (ROOT / "prometheus" / "scrape.yml").read_text()
    (tmp_path / "rules.yml").write_text(RULES.read_text())
    (tmp_path / "prometheus.yml").write_text(text.replace("/usr/share/tft-dashboard/prometheus/", ""))
    result = subprocess.run(["promtool", "check", "config", "prometheus.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    config = yaml.safe_load(text)
    assert config["rule_files"] == ["/usr/share/tft-dashboard/prometheus/rules.yml"]
    paths = [job.get("metrics_path", "/metrics") for job in config["scrape_configs"]]
    assert paths and set(paths) <= set(re.findall(r'\{"(/metrics[^"]*)", ROUTE_', (ROOT / "src" / "server" / "route.c").read_text()))


def test_the_dashboard_has_what_an_import_needs():
    assert DASHBOARD["id"] is None and DASHBOARD["uid"] and DASHBOARD["title"]
    assert isinstance(DASHBOARD["schemaVersion"], int) and DASHBOARD["schemaVersion"] >= 36
    ids = [panel["id"] for panel in PANELS]
    assert all(isinstance(number, int) for number in ids) and len(set(ids)) == len(ids)
    assert all(panel["title"] and panel["type"] for panel in PANELS)
    for panel in PANELS:
        references = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(references)) == len(references) and bool(references) == (panel["type"] != "row")


def test_panels_lie_inside_the_grid_and_beside_each_other():
    places = [panel["gridPos"] for panel in PANELS]
    for place in places:
        assert place["w"] > 0 and place["h"] > 0 and place["x"] >= 0 and place["y"] >= 0 and place["x"] + place["w"] <= 24
    for a, b in itertools.combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)


def test_the_data_source_is_chosen_by_who_imports_it():
    assert (VARIABLES["datasource"]["type"], VARIABLES["datasource"]["query"]) == ("datasource", "prometheus")
    users = [panel for panel in PANELS if panel["type"] != "row"] + [target for panel in PANELS for target in panel.get("targets", [])]
    users += [variable for variable in VARIABLES.values() if variable["type"] == "query"]
    assert all(user["datasource"] == {"type": "prometheus", "uid": "${datasource}"} for user in users)


def test_the_dashboard_uses_series_and_variables_that_exist():
    text = json.dumps(DASHBOARD)
    assert series_in(text) <= exported()
    assert set(re.findall(r"\$\{?(\w+)", text)) == set(VARIABLES) | {"__rate_interval"}
    assert all("tft_" in query for variable in VARIABLES.values() if variable["type"] == "query" for query in [variable["definition"]])


@needs_promtool
def test_each_expression_of_the_dashboard_is_promql(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": text} for number, (_, text) in enumerate(expressions())]
    assert len(rules) > 20
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    result = subprocess.run(["promtool", "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_they_are_in_the_package():
    makefile = (ROOT / "Makefile.am").read_text()
    for name in ("prometheus/rules.yml", "prometheus/rules_test.yml", "prometheus/scrape.yml", "grafana/dashboard.json"):
        assert re.search(rf"^dist_\w+_DATA = (?:.*\\\n)*.*{re.escape(name)}", makefile, re.M), name
