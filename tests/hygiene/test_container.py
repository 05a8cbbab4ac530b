# SPDX-License-Identifier: MIT
"""compose.yaml and its companions: the settings, paths and programs that they name exist; nothing runs as root, and
nothing but volumes is writable."""
import re

import pytest
import yaml

from sources import ROOT

FILES = ("compose.yaml", "compose.demo.yaml", "compose.key.yaml")
COMPOSE = {name: yaml.safe_load((ROOT / name).read_text()) for name in FILES}
SERVICES = [(name, service, what) for name in FILES for service, what in COMPOSE[name]["services"].items()]
ENTRY = (ROOT / "scripts" / "container.sh").read_text()
IMAGE = (ROOT / "Containerfile").read_text()

services = pytest.mark.parametrize("file, service, what", SERVICES, ids=[f"{name}-{service}" for name, service, _ in SERVICES])
own = pytest.mark.parametrize("what", [what for _, _, what in SERVICES if "image" in what], ids=lambda what: what["command"])


def settings():
    """The names in the table of options, with _FILE for the secrets."""
    rows = re.findall(r'^\t\{"\w+", "\w+", "(TFT_\w+)", VALUE_(\w+)', (ROOT / "src" / "settings.c").read_text(), re.M)
    return {name for name, _ in rows} | {f"{name}_FILE" for name, kind in rows if kind == "SECRET"}


@services
def test_each_variable_is_a_setting(file, service, what):
    names = {line.split("=")[0] for line in what.get("environment", [])}
    known = settings() if service == "workers" else set(re.findall(r"\$\{(TFT_\w+)", ENTRY))
    assert names <= known


@own
def test_nobody_is_root_and_nothing_is_writable_but_volumes(what):
    assert (what["read_only"], what["cap_drop"], what["security_opt"]) == (True, ["ALL"], ["no-new-privileges"])
    assert not {"user", "privileged", "cap_add", "devices"} & set(what)
    last = IMAGE.split("\nFROM ")[-1]
    assert re.findall(r"^USER (.*)$", last, re.M) == ["10001:10001"] and last.index("\nRUN ") < last.index("\nUSER ")


@own
def test_each_command_is_one_of_the_entry(what):
    assert re.search(rf"^[a-z| ]*\b{what['command']}\b[a-z| ]*\) ", ENTRY, re.M)


def test_health_checks_ask_for_addresses_that_exist():
    tests = [what["healthcheck"]["test"] for what in COMPOSE["compose.yaml"]["services"].values()]
    assert sorted(test[1].split()[-1] for test in tests) == ["nginx", "redis", "workers"]
    assert {test[1].split()[0] for test in tests} == {"/opt/tft/scripts/container.sh"}
    asked = set(re.findall(r"(/(?:readyz|healthz)\b)", ENTRY))
    assert asked == {"/readyz", "/healthz"}
    table = "".join(path.read_text() for path in (ROOT / "src").rglob("*.c"))
    assert all(f'"{path[1:]}"' in table or f'"{path}"' in table for path in asked)


def test_what_is_mounted_is_in_the_image_and_declared():
    """A new volume takes its owner from the directory in the image; a missing directory would belong to root."""
    made = set(re.search(r"install -d -o tft .* -m 750 (.*?)\n", IMAGE)[1].split())
    declared = set(COMPOSE["compose.yaml"]["volumes"])
    for _, _, what in SERVICES:
        mounts = [mount.split(":") for mount in what.get("volumes", [])]
        assert {name for name, _ in mounts} <= declared
        assert {path for _, path in mounts} | set(what.get("tmpfs", [])) <= made


def test_redis_and_the_demo_have_no_route_out_and_only_nginx_listens():
    assert {what["command"] for _, _, what in SERVICES if what.get("networks") == ["nowhere"]} == {"redis", "inference", "generator"}
    assert COMPOSE["compose.yaml"]["networks"]["nowhere"] == {"internal": True}
    assert [service for _, service, what in SERVICES if what.get("ports")] == ["nginx"]


def test_what_the_image_is_made_of_exists():
    for path in re.findall(r"^COPY (?!--from|\. )(\S+)", IMAGE, re.M) + re.findall(r"cp scripts/(\S+)", IMAGE):
        assert (ROOT / path).exists() or (ROOT / "scripts" / path).exists()
    wanted = set(FILES) | {"Containerfile", ".containerignore"}
    assert wanted <= set(re.search(r"^EXTRA_DIST = (.*?[^\\])$", (ROOT / "Makefile.am").read_text(), re.S | re.M)[1].split())
