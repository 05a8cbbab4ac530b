# SPDX-License-Identifier: MIT
"""start_all.sh, stop_all.sh and status.sh as a user meets them."""
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

import pytest
import requests

from stack import BUILD, ROOT, free_port, group_alive, wait_until


class Site:
    """One run directory and its settings."""

    def __init__(self):
        self.port = free_port(3)
        demo = self.port + 1  # and the next one
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tft-", dir="/tmp"))
        os.chmod(self.dir, 0o755)
        self.run_dir = self.dir / "run"
        self.url = f"http://127.0.0.1:{self.port}/"
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("TFT_")}
        self.env.update(
            TFT_BUILD=str(BUILD), TFT_RUN_DIR=str(self.run_dir), TFT_PORT=str(self.port), TFT_DEMO_PORT=str(demo)
        )

    def script(self, name, *options, **env):
        """Runs a script from a directory that is not the project's."""
        command = [str(ROOT / name), *options]
        return subprocess.run(command, env={**self.env, **env}, cwd="/", capture_output=True, text=True, timeout=120)

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
    """A started site for tests that only look."""
    one = Site()
    try:
        one.first_output = one.start(TFT_API_KEY="key-that-nobody-sees").stdout
        yield one
    finally:
        one.remove()


def command_lines():
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass


def one_line(result):
    """The complaint of a script that refused: exactly one line."""
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
    assert "start_all" in lines or "tft-dashboard" in lines  # we do see the processes
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
    assert again.returncode == 0 and again.stdout.startswith("Nothing runs")
    assert site.script("status.sh").returncode == 3
    site.start()
    assert site.get("healthz").status_code == 200


def test_a_dead_service_is_reported_and_the_next_start_repairs_it(site):
    site.start()
    dead = site.leaders()["redis"]
    os.killpg(dead, signal.SIGKILL)
    wait_until(lambda: not group_alive(dead), 5, "Redis is gone")
    result = site.script("status.sh")
    assert result.returncode == 3
    assert any(line.startswith("redis") and "DOWN" in line for line in result.stdout.splitlines())
    site.start()
    assert site.leaders()["redis"] != dead
    assert site.script("status.sh").returncode == 0


def test_a_taken_port_is_one_line_and_leaves_nothing(site):
    with socket.create_server(("127.0.0.1", site.port)):
        assert f"port {site.port} " in one_line(site.script("start_all.sh"))
    assert not site.leaders()


def test_a_worker_that_cannot_start_leaves_nothing(site):
    """A bad setting that only the worker knows: its line is shown, and all that had been started ends."""
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
