# SPDX-License-Identifier: MIT
"""What is shipped for operators: events against the manual, systemd units, the Debian package, the guide."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from sources import ROOT

BUILD = pathlib.Path(os.environ.get("TFT_BUILD") or ROOT).resolve()
MANUAL = (ROOT / "src" / "tft-dashboard.8").read_text()


def logged_events():
    """The names in calls of log_event, up to the first field."""
    found = {"audit"}
    for path in (ROOT / "src").rglob("*.c"):
        for call in re.split(r"\blog_event\(", path.read_text())[1:]:
            found |= set(re.findall(r'"(\w+)"', re.split(r"\bLOG_(?:STR|INT|SPAN)\(", call)[0]))
    return found


def test_the_manual_has_every_event_and_no_other():
    section = re.search(r"^\.Sh DIAGNOSTICS\n(.*?)^\.Sh", MANUAL, re.S | re.M).group(1)
    assert set(re.findall(r"^\.It Li (\w+)$", section, re.M)) == logged_events()


def units(directory):
    """The units as installed, under a path that exists here."""
    for path in (ROOT / "systemd").glob("tft-dashboard*"):
        text = path.read_text().replace("@sbindir@/tft-dashboard", shutil.which("true"))
        (directory / path.name.removesuffix(".in")).write_text(text)
    (directory / "tft-dashboard@1.service").symlink_to("tft-dashboard@.service")
    return [directory / f"tft-dashboard{kind}" for kind in (".socket", ".target", "@1.service")]


needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@needs_systemd
def test_systemd_has_no_remark_on_the_units(tmp_path):
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


@needs_systemd
def test_workers_are_confined(tmp_path):
    """1.1 of 10; the rest is the network, which they need."""
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=12", units(tmp_path)[2]]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_no_unit_needs_redis_or_the_daemon_and_no_secret_is_in_one():
    service = (ROOT / "systemd" / "tft-dashboard@.service.in").read_text()
    needed = re.findall(r"^(?:Requires|BindsTo|Requisite)=(.*)$", service, re.M)
    assert needed == ["tft-dashboard.socket"]
    assert "Environment=" not in service
    assert "RestartPreventExitStatus=78" in service and "Restart=always" in service


def test_version_is_the_same_everywhere():
    version = re.search(r"AC_INIT\(\[tft-dashboard\], \[([\d.]+)\]\)", (ROOT / "configure.ac").read_text())[1]
    changelog = (ROOT / "debian" / "changelog").read_text()
    assert re.match(rf"tft-dashboard \({re.escape(version)}-\d+\) ", changelog)
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGES.md").read_text(), re.M)
    answer = subprocess.run([BUILD / "tft-dashboard", "--version"], capture_output=True, text=True, check=True).stdout
    assert answer.startswith(f"tft-dashboard {version} ")


def test_the_package_needs_what_the_build_needs():
    """Everything in [build] except npm, which a release does not need, and what debhelper brings."""
    packages = re.search(r"^\[build\]\n(.*?)^\[", (ROOT / "scripts" / "packages.txt").read_text(), re.S | re.M)[1].split()
    control = (ROOT / "debian" / "control").read_text()
    needed = set(re.findall(r"^ ([a-z0-9-]+)", re.search(r"Build-Depends:\n(.*?)^\S", control, re.S | re.M)[1], re.M))
    assert set(packages) - {"npm", "autoconf", "automake", "gcc", "make"} <= needed


def rights(name):
    """The permissions of the user tft in one of the files of redis."""
    return re.search(r"^user tft on #@\w+@ (.*)$", (ROOT / "redis" / name).read_text(), re.M)[1]


def test_the_shared_redis_knows_the_same_user_as_the_private_one():
    assert rights("shared.conf.in") == rights("users.acl.in")


def scripted():
    """The commands of the scripts that workers run; adopt.lua and rewind.lua are for administrators."""
    scripts = [re.sub("--.*", "", path.read_text()) for path in (ROOT / "redis").glob("*.lua") if path.stem not in ("adopt", "rewind")]
    return {name for text in scripts for name in re.findall(r"redis\.p?call\('(\w+)'", text) + re.findall(r"\{'([A-Z]+)'", text)}


def sent():
    """The commands that workers send themselves, to Redis and not to its sentinels."""
    sources = [path.read_text() for room in ("cache", "store") for path in (ROOT / "src" / room).glob("*.c")]
    return {name for text in sources for name in re.findall(r'(?:store_cmd\([^;]*?,|\{)\s*SPAN\("([A-Z]+)"\)', text)} - {"SENTINEL"}


def test_the_user_of_redis_may_do_what_the_dashboard_asks_for_and_nothing_else():
    """A missing command would stop a script half-way."""
    assert {"HINCRBY", "XADD", "RENAME"} <= scripted() and {"HMGET", "AUTH", "EVALSHA", "ROLE", "SCRIPT", "UNLINK"} <= sent()
    whole = {"memory": "memory|usage", "script": "script|load"}
    wanted = {whole.get(name.lower(), name.lower()) for name in scripted() | sent()} | {"ping"}
    granted, taken = (re.findall(rf" {re.escape(sign)}(\S+)", rights("users.acl.in")) for sign in "+-")
    assert set(granted) == wanted
    assert taken == ["@all"] and len(granted) == len(set(granted))


def test_redis_is_open_only_where_its_default_user_is_off():
    """One file says both, so that nobody copies only one of them."""
    for path in (ROOT / "redis").glob("*.in"):
        assert not re.search("^protected-mode no", path.read_text(), re.M) or re.search("^user default off$", path.read_text(), re.M)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """{name: path} of what `make install` installs below a separate directory."""
    directory = tmp_path_factory.mktemp("installed")
    subprocess.run(["make", "-s", "-C", BUILD, "install", f"DESTDIR={directory}"], check=True, capture_output=True, timeout=300)
    return {path.name: path for path in directory.rglob("*") if not path.is_dir()}


def test_no_file_that_is_installed_has_a_placeholder_left(installed):
    files = {name: path for name, path in installed.items() if path.suffix in (".conf", ".service", ".socket", ".target")}
    assert {"tft-http.conf", "tft-locations.conf", "tft-dashboard@.service"} <= set(files)
    workers = [name for name, path in files.items() if path.is_symlink()]
    assert sorted(workers) == [f"tft-dashboard@{i}.service" for i in range(1, 7)]
    assert not [name for name, path in files.items() if re.search(r"@[A-Za-z_]+@", path.resolve().read_text())]


@pytest.mark.parametrize("example", sorted((ROOT / "nginx" / "examples").glob("*.conf")), ids=lambda path: path.stem)
def test_nginx_accepts_what_is_installed(installed, example, tmp_path):
    """Each example with the installed files, as if they were in /etc; the access tests supply certificates."""
    def moved(path):
        text = re.sub(r"/\S*/tft-dashboard/nginx/(tft-\w+\.conf)", r"\1", path.read_text())
        text = text.replace("/run/tft-dashboard-l1", f"{tmp_path}/l1").replace("/var/log/nginx", str(tmp_path))
        return re.sub(r"\n\tssl_\w+ .*", "", text.replace("443 ssl", "8443"))

    for name, path in installed.items():
        if re.fullmatch(r"tft-\w+\.conf", name):
            (tmp_path / name).write_text(moved(path))
    site = moved(example)
    paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ {paths} access_log off;\n{site}\n}}\n")
    command = ["nginx", "-t", "-q", "-e", tmp_path / "error.log", "-p", tmp_path, "-c", tmp_path / "nginx.conf"]
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
