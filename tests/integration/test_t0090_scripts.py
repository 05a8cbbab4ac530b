# SPDX-License-Identifier: MIT
"""start_all.sh, stop_all.sh and status.sh as users see them."""
import os
import pathlib
import pwd
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

import pytest
import requests

import fcgi_client
from stack import BUILD, ROOT, free_port, group_alive, processes, wait_until


class Site:
    """One run directory and its settings."""

    def __init__(self, run_dir="run"):
        self.port = free_port(3)
        demo = self.port + 1  # and the next one
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tft-", dir="/tmp"))
        os.chmod(self.dir, 0o755)
        self.run_dir = self.dir / run_dir
        self.root = ROOT
        self.url = f"http://127.0.0.1:{self.port}/"
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("TFT_")}
        self.env.update(
            TFT_BUILD=str(BUILD), TFT_RUN_DIR=str(self.run_dir), TFT_PORT=str(self.port), TFT_DEMO_PORT=str(demo)
        )

    def script(self, name, *options, **env):
        """Runs a script from a directory outside the project."""
        command = [str(self.root / name), *options]
        return subprocess.run(command, env={**self.env, **env}, cwd="/", capture_output=True, errors="replace", timeout=180)

    def start(self, *options, **env):
        result = self.script("start_all.sh", *options, **env)
        assert result.returncode == 0, result.stderr + result.stdout
        return result

    def stop(self):
        return self.script("stop_all.sh")

    def leaders(self):
        """{service: pid} as recorded."""
        return {path.name: int(path.read_text().split()[0]) for path in (self.run_dir / "pid").glob("*")}

    def get(self, path, **kw):
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url + path, timeout=10, **kw)

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture
def site():
    one = Site()
    yield one
    one.remove()


@pytest.fixture(scope="module")
def running():
    """A started site for tests that change nothing."""
    one = Site()
    try:
        one.env["TFT_API_KEY"] = "key-that-nobody-sees"
        one.first_output = one.start().stdout
        yield one
    finally:
        one.remove()


def command_lines():
    for process in processes():
        try:
            yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass


def one_line(result):
    """The message of a script that refused: exactly one line."""
    assert result.returncode != 0
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_start_prints_the_address_and_the_pages_show_the_demo_fleet(running):
    assert running.first_output.splitlines()[-1] == f"Dashboard: {running.url}"
    fleet = running.get("api/v1/fleet").json()
    assert fleet["fleet"]["total"] == 20
    assert fleet["condition"] == "ok"
    page = running.get("")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    heatmap = running.get("heatmap").text
    assert all(server["name"] in heatmap for server in fleet["servers"])


def test_a_second_start_changes_nothing_and_says_where(running):
    before = running.leaders()
    again = running.start()
    assert again.stdout == f"Already running: {running.url}\n"
    assert running.leaders() == before


def test_status_names_every_service_and_the_cache(running):
    result = running.script("status.sh")
    assert result.returncode == 0, result.stdout
    for service in ("redis", "demo-inference", "demo-generator", "workers", "nginx"):
        assert any(line.startswith(service) and " up " in line for line in result.stdout.splitlines()), result.stdout
    assert running.url in result.stdout
    assert '"redis":"up"' in result.stdout.replace(" ", "")


def test_secrets_are_on_no_command_line_and_in_private_files(running):
    password = running.run_dir / "redis.pass"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    lines = "\n".join(command_lines())
    assert "start_all" in lines or "tft-dashboard" in lines  # the processes are visible to us
    assert "key-that-nobody-sees" not in lines
    assert password.read_text() not in lines
    for path in (running.run_dir / "log").iterdir():
        text = path.read_text(errors="replace")
        assert "key-that-nobody-sees" not in text and password.read_text() not in text, path.name


def test_stop_leaves_no_process_and_a_new_start_works(site):
    site.start("--dev")
    groups = site.leaders().values()
    assert len(groups) == 6
    assert site.stop().stdout == "Stopped.\n"
    assert not [group for group in groups if group_alive(group)]
    with pytest.raises(requests.ConnectionError):
        site.get("healthz")
    again = site.stop()
    assert again.returncode == 0 and again.stdout.startswith("Nothing is running")
    assert site.script("status.sh").returncode == 3
    site.start()
    assert site.get("healthz").status_code == 200


def test_a_dead_service_is_reported_and_the_next_start_repairs_it(site):
    site.start()
    dead = site.leaders()["redis"]
    os.killpg(dead, signal.SIGKILL)
    wait_until(lambda: not group_alive(dead), 5, "Redis is gone")
    result = site.script("status.sh")
    assert result.returncode == 3 and result.stderr == "" and "Could not connect" not in result.stdout
    assert any(line.startswith("redis") and "DOWN" in line for line in result.stdout.splitlines())
    site.start()
    assert site.leaders()["redis"] != dead
    assert site.script("status.sh").returncode == 0


def test_a_taken_port_is_one_line_and_leaves_nothing(site):
    with socket.create_server(("127.0.0.1", site.port)):
        assert f"port {site.port} " in one_line(site.script("start_all.sh"))
    assert not site.leaders()


def test_a_worker_that_cannot_start_leaves_nothing(site):
    """A bad setting that only the worker knows: its message is shown, and everything that was started ends."""
    result = site.script("start_all.sh", TFT_LOG_LEVEL="chatty")
    assert "TFT_LOG_LEVEL" in one_line(result) or "level" in one_line(result)
    assert not site.leaders()
    assert not [line for line in command_lines() if str(site.run_dir) in line]


@pytest.mark.parametrize(
    "setting, value",
    [
        ("TFT_PORT", "http"),
        ("TFT_PORT", "70000"),
        ("TFT_WORKERS", "-1"),
        ("TFT_REFRESH_INTERVAL", "1"),
        ("TFT_L1", "maybe"),
        ("TFT_LISTEN", "a b"),
        ("TFT_RUN_DIR", "/dev/null/run"),
        ("TFT_RUN_DIR", "/tmp/" + "x" * 100),
        ("TFT_BUILD", "/nonexistent"),
    ],
)
def test_a_bad_setting_is_one_line(site, setting, value):
    line = one_line(site.script("start_all.sh", **{setting: value}))
    assert value in line or setting in line


def test_an_unknown_option_is_a_usage_error(site):
    assert site.script("start_all.sh", "--fast").returncode == 2


def test_stop_never_kills_a_process_that_got_a_recycled_id(site):
    (site.run_dir / "pid").mkdir(parents=True)
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        (site.run_dir / "pid" / "nginx").write_text(f"{bystander.pid} 1\n")
        assert site.stop().returncode == 0
        assert bystander.poll() is None
        assert not site.leaders()
    finally:
        bystander.kill()
        bystander.wait()


def test_with_a_daemon_url_no_demo_daemon_is_started(site, upstream):
    site.start(TFT_DAEMON_URL=upstream.daemon_url, TFT_GENERATOR_URL=upstream.generator_url)
    assert sorted(site.leaders()) == ["nginx", "redis", "workers"]
    assert site.get("api/v1/fleet").json()["fleet"]["total"] == 20
    assert upstream.predictions.count >= 1


def test_l1_can_be_switched_off(site):
    site.start(TFT_L1="off")
    answers = [site.get("").headers["Cache-Status"] for _ in range(3)]
    assert not [value for value in answers if "nginx; hit" in value]


# Paths

ODD = "zoë's {odd} & \"run\"; #1 @PORT@"


def test_a_run_directory_may_have_any_name_that_people_give():
    site = Site(ODD)
    try:
        site.start()
        groups = site.leaders().values()
        assert site.get("api/v1/fleet").json()["fleet"]["total"] == 20
        assert "Redis" in site.get("advanced").text
        status = site.script("status.sh")
        assert status.returncode == 0 and " keys, " in status.stdout, status.stdout
        assert site.stop().stdout == "Stopped.\n"
        assert not [group for group in groups if group_alive(group)]
    finally:
        site.remove()


@pytest.mark.parametrize("name", ["run[1]", "run*", "run?", "$HOME", "run\\bs", "run\nx", os.fsdecode(b"run\xeb")], ids=ascii)
def test_a_run_directory_that_nginx_or_redis_would_take_for_something_else_is_refused(name):
    site = Site(name)
    try:
        assert "run directory (TFT_RUN_DIR)" in one_line(site.script("start_all.sh"))
        assert not site.run_dir.exists(), "nothing has been started"
    finally:
        site.remove()


def test_the_length_of_a_path_is_counted_in_bytes():
    site = Site("ä" * 40)
    try:
        assert "too long for a unix socket" in one_line(site.script("start_all.sh"))
    finally:
        site.remove()


def copy_of_the_sources(to):
    """Like a clone, but with the browser libraries, which would otherwise come from a registry."""
    command = f". {shlex.quote(str(ROOT / 'scripts/common.sh'))}; copy_sources {shlex.quote(str(to))}"
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True, timeout=60)
    clone = to / "src"
    (clone / "configure").unlink(missing_ok=True)
    shutil.copytree(BUILD / "third-party", clone / "third-party")
    return clone


def test_a_clone_with_a_blank_and_a_letter_in_its_path_is_built_and_updated(site):
    """The next start builds what has changed, whatever the times of the files, even while the old version runs."""
    site.root = copy_of_the_sources(site.dir / "zoë d")
    del site.env["TFT_BUILD"], site.env["TFT_RUN_DIR"]
    site.run_dir = site.root / "run"
    site.env["CFLAGS"] = "-O0"
    site.start()
    assert site.get("api/v1/fleet").json()["fleet"]["total"] == 20
    assert site.start().stdout == f"Already running: {site.url}\n"
    configure = site.root / "configure.ac"
    old = configure.stat()
    configure.write_text(re.sub(r"(AC_INIT\(\[tft-dashboard\], )\[[\d.]+\]", r"\1[9.8.7]", configure.read_text()))
    os.utime(configure, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert site.start().stdout.endswith(f"Dashboard: {site.url}\n")
    assert 'version="9.8.7"' in site.get("metrics").text


def test_a_clone_that_cannot_be_built_where_it_is_says_so_at_once(site):
    site.root = copy_of_the_sources(site.dir / "it's")
    del site.env["TFT_BUILD"]
    assert "the path of this directory must not contain" in one_line(site.script("start_all.sh"))
    assert not site.run_dir.exists()


# Workers that do not run

@pytest.fixture
def broken(site):
    """A build whose worker is a shell script; returns a function that sets its text."""
    build = site.dir / "build"
    build.mkdir()
    for name in ("tft-demo-daemon", "tft-fetch", "assets"):
        (build / name).symlink_to(BUILD / name)

    def write(text):
        (build / "tft-dashboard").write_text(f"#!/bin/sh\ncase $1 in --check) exit ;; --fingerprint) echo 0123456789abcdef; exit ;; esac\n{text}\n")
        (build / "tft-dashboard").chmod(0o755)

    site.env["TFT_BUILD"] = str(build)
    return write


@pytest.mark.parametrize(
    "text, reason", [("echo no such luck >&2; exit 3", "no such luck"), ("kill -SEGV $$", "no message in its log")], ids=["exit", "signal"]
)
def test_workers_that_end_at_once_end_the_start_with_their_reason(site, broken, text, reason):
    broken(text)
    began = time.monotonic()
    assert reason in one_line(site.script("start_all.sh"))
    assert time.monotonic() - began < 15
    assert (site.run_dir / "log" / "workers.log").stat().st_size < 10_000
    assert not site.leaders()
    assert not [line for line in command_lines() if str(site.run_dir) in line]


def test_a_worker_that_ends_at_once_is_started_again_once_a_second(site, broken):
    """Once it runs, nobody gives it up."""
    tries = site.dir / "tries"
    broken(f"echo x >>{tries}; exit 1")
    command = [ROOT / "scripts" / "tft-spawn", "-f", "-u", "root", "-n", "1", "-p", site.env["TFT_BUILD"] + "/tft-dashboard"]
    with subprocess.Popen([*command, "-s", site.dir / "fcgi.sock", "start"], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: tries.exists(), 5, "the first start")
            began = time.monotonic()
            wait_until(lambda: tries.read_text().count("x") >= 4, 10, "three more")
            assert time.monotonic() - began > 2.5
        finally:
            process.terminate()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts workers as another user")


@needs_root
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_key_that_the_workers_may_not_read_is_told_before_anything_starts(site, mode):
    key = site.dir / "api.key"
    key.write_text("key-that-nobody-sees")
    key.chmod(mode)
    line = one_line(site.script("start_all.sh", TFT_API_KEY_FILE=str(key)))
    assert f"{key} is root:root, mode {mode:04o}" in line and "need: group www-data, mode 0640" in line
    assert not site.leaders() and not (site.run_dir / "log" / "nginx.log").exists()
    os.chown(key, 0, pwd.getpwnam("www-data").pw_gid)
    key.chmod(0o640)
    site.start(TFT_API_KEY_FILE=str(key))


# The caller's shell

def test_locale_and_options_of_the_callers_shell_change_nothing(site):
    """In Turkish, the lower case of I is not i; CDPATH makes cd print; noclobber and noglob forbid what the scripts do."""
    subprocess.run(["localedef", "-i", "tr_TR", "-f", "UTF-8", site.dir / "tr_TR.UTF-8"], check=True, capture_output=True)
    shell = {"SHELLOPTS": "noclobber:noglob:monitor", "CDPATH": "/tmp:/", "LOCPATH": str(site.dir), "LC_ALL": "tr_TR.UTF-8"}
    site.start(**shell)
    assert site.script("status.sh", **shell).returncode == 0
    assert site.script("stop_all.sh", **shell).stdout == "Stopped.\n"


# Settings

@pytest.mark.parametrize("listen, host", [("::1", "[::1]"), ("[::1]", "[::1]"), ("*", "127.0.0.1"), ("localhost", "localhost")])
def test_addresses_in_every_form(site, listen, host):
    site.url = f"http://{host}:{site.port}/"
    assert f"Dashboard: {site.url}" in site.start(TFT_LISTEN=listen, TFT_PORT=f"0{site.port}").stdout
    assert site.get("healthz").status_code == 200


def test_other_settings_are_not_silently_ignored(running):
    before = running.leaders()
    line = one_line(running.script("start_all.sh", "--dev", TFT_REFRESH_INTERVAL="60"))
    assert "already running with other settings (--dev" in line and "TFT_REFRESH_INTERVAL" in line
    assert running.leaders() == before


def test_a_misspelt_setting_is_told(running):
    result = running.start(TFT_PROT="9090")
    assert result.stderr == "TFT_PROT is not a setting and is ignored\n"


def test_settings_of_the_running_workers_are_shown(running):
    shown = running.script("status.sh", "--config").stdout
    assert f"upstream.daemon_url = http://127.0.0.1:{running.env['TFT_DEMO_PORT']}    # env: " in shown
    assert "upstream.api_key = ***    # env: " in shown and "key-that-nobody-sees" not in shown


@pytest.mark.parametrize("script", ["start_all.sh", "stop_all.sh", "status.sh", "run_tests.sh"])
def test_help_is_help_and_does_nothing_else(running, script):
    before = running.leaders()
    result = running.script(script, "--help")
    assert result.returncode == 0 and len(result.stdout.splitlines()) >= 1 and result.stderr == ""
    assert running.leaders() == before
    assert running.get("healthz").status_code == 200


@pytest.mark.parametrize("script", ["stop_all.sh", "status.sh"])
def test_an_unknown_option_stops_nothing(running, script):
    assert running.script(script, "--fast").returncode == 2
    assert running.get("healthz").status_code == 200


def test_with_another_redis_no_redis_server_is_needed(running, site):
    tools = site.dir / "bin"
    tools.mkdir()
    for path in pathlib.Path("/usr/bin").iterdir():
        if not path.name.startswith(("redis", "valkey")):
            (tools / path.name).symlink_to(path)
    redis = {"TFT_REDIS": f"unix:{running.run_dir}/redis/redis.sock", "TFT_REDIS_USER": "tft"}
    site.start(PATH=str(tools), TFT_REDIS_PASSWORD_FILE=str(running.run_dir / "redis.pass"), **redis)
    assert "redis" not in site.leaders()
    assert site.get("api/v1/status").json()["cache"]["redis"] == "up"


def test_a_daemon_that_does_not_answer_is_told_in_time(site):
    began = time.monotonic()
    result = site.start(TFT_DAEMON_URL="http://127.0.0.1:9", TFT_GENERATOR_URL="http://127.0.0.1:9")
    assert time.monotonic() - began < 15
    assert re.search(r"^No data from http://127.0.0.1:9 yet \(.*refused.*\)", result.stdout, re.M), result.stdout


def history(site):
    """The ids of the points in the private Redis."""
    command = ["redis-cli", "-s", str(site.run_dir / "redis" / "redis.sock"), "XRANGE", "tfthist:fleet", "-", "+"]
    return re.findall(r"^\d+-0$", subprocess.run(command, capture_output=True, text=True).stdout, re.M)


def test_a_demonstration_is_never_shown_as_a_daemon_that_has_its_address_later(site):
    site.start()
    assert site.get("api/v1/fleet").json()["fleet"]["total"] == 20
    points = wait_until(lambda: history(site), 10, "the demo has a history")
    site.stop()
    site.start(TFT_DAEMON_URL=f"http://127.0.0.1:{site.port + 1}")  # where nothing listens any longer
    assert not site.get("api/v1/fleet").json().get("servers")
    assert site.get("readyz").status_code == 503
    assert history(site) == []
    site.stop()
    site.start()
    assert set(points) <= set(history(site))


def test_workers_end_before_what_they_call(site):
    """nginx serves the simulated daemon. If it ended first, it would cut a last call, and the next start would wait for a
    back-off."""
    site.start()
    order, names = [], ["workers", "nginx", "demo-inference", "redis"]
    with subprocess.Popen([ROOT / "stop_all.sh"], env=site.env, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            order += [name for name in names if name not in order and not (site.run_dir / "pid" / name).exists()]
    assert order == names


# tft-spawn

@pytest.fixture
def spawn(tmp_path_factory):
    """Runs tft-spawn with its own socket, and ends what it has started."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="tft-", dir="/tmp"))
    directory.chmod(0o755)
    socket_path = directory / "run" / "fcgi.sock"

    def run(*words, **env):
        command = [ROOT / "scripts" / "tft-spawn", "-p", BUILD / "tft-dashboard", "-s", socket_path, "-l", directory / "log", *words]
        return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60)

    run.log = directory / "log"
    run.socket = socket_path
    yield run
    run("stop")
    shutil.rmtree(directory)


def test_workers_without_systemd_have_a_log_and_a_directory(spawn):
    result = spawn("start", TFT_REDIS="127.0.0.1:9", TFT_LOG_LEVEL="info")
    assert (result.returncode, result.stderr) == (0, "")
    answer = fcgi_client.request(str(spawn.socket), {"REQUEST_METHOD": "GET", "DOCUMENT_URI": "/healthz", "TFT_END": "1"})
    assert answer.status == 200
    assert spawn.log.read_text().count("ev=start") == 6
    assert "already running" in one_line(spawn("start"))
    assert spawn("stop").returncode == 0
    assert not spawn.socket.exists() and spawn.log.read_text().count("ev=stop") == 6
    assert spawn("stop").returncode == 0


def test_tft_spawn_starts_nothing_that_could_not_run(spawn):
    result = spawn("start", TFT_REFRESH_INTERVAL="1")
    assert result.returncode == 78 and "TFT_REFRESH_INTERVAL" in one_line(result)
    assert not spawn.socket.exists()
    assert spawn("restart").returncode == 2


def test_tft_spawn_tells_when_workers_do_not_stay(spawn, site, broken):
    broken("exit 1")
    result = spawn("-p", site.env["TFT_BUILD"] + "/tft-dashboard", "start")
    assert result.returncode == 1 and "as soon as they start" in one_line(result)
    assert not spawn.socket.exists()
