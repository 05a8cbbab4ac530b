# SPDX-License-Identifier: MIT
"""TLS to Redis: used if hiredis supports it, and refused at the start if not; certificate faults are reported and cost no
page."""
import os
import re
import socket
import subprocess

import pytest
from certificates import make_authorities, make_certificate, make_old_certificate
from stack import BUILD, REDIS_SERVER, Service, Stack, free_port

HAS_TLS = "#define HAVE_HIREDIS_SSL 1" in (BUILD / "config.h").read_text()
INTERVAL = 5
REFUSAL = (
    "tft-dashboard: redis: this build cannot speak TLS (its hiredis has none, as that of Debian 12): use a tunnel, or build on Debian 13\n"
)
spoken = pytest.mark.skipif(not HAS_TLS, reason="this hiredis has no TLS")


def check(**settings):
    env = {"PATH": os.environ["PATH"], "TFT_NODE": "node", **{f"TFT_{name}": str(value) for name, value in settings.items()}}
    return subprocess.run([BUILD / "tft-dashboard", "--check"], env=env, capture_output=True, text=True, timeout=20)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    make_authorities(directory)
    make_certificate(directory, "good", "IP:127.0.0.1")
    make_certificate(directory, "name", "DNS:localhost")
    make_certificate(directory, "other", "DNS:elsewhere.example")
    make_certificate(directory, "client", "DNS:client.example")
    make_old_certificate(directory, "old", "IP:127.0.0.1")
    return directory


@pytest.mark.parametrize("address", ["rediss://10.0.0.5:6379", "rediss-sentinel://tft@10.0.0.5:26379/tft/3"])
def test_an_address_by_tls_is_spoken_or_refused_at_the_start(address):
    result = check(REDIS=address)
    assert (result.returncode, result.stderr) == ((0, "") if HAS_TLS else (78, REFUSAL))


def test_files_are_of_no_concern_without_tls(tmp_path):
    assert check(REDIS="127.0.0.1:6379", REDIS_CA_FILE=tmp_path / "none.pem").returncode == 0


@spoken
@pytest.mark.parametrize("settings, complaint", [
    ({"CA_FILE": "none.pem"}, "ca_file: {}/none.pem: No such file or directory"),
    ({"CA_FILE": "ca.key"}, "ca_file: {}/ca.key: "),
    ({"CERT_FILE": "none.pem", "KEY_FILE": "client.key"}, "cert_file: {}/none.pem: No such file or directory"),
    ({"CERT_FILE": "client.pem", "KEY_FILE": "none.key"}, "key_file: {}/none.key: No such file or directory"),
    ({"CERT_FILE": "client.pem", "KEY_FILE": "good.key"}, "key_file: {}/good.key: key values mismatch"),
    ({"CERT_FILE": "client.pem"}, "cert_file and redis.key_file: one is of no use without the other"),
])
def test_files_that_are_of_no_use_are_named_at_the_start(certificates, settings, complaint):
    result = check(REDIS="rediss://127.0.0.1:6379", **{f"REDIS_{name}": certificates / file for name, file in settings.items()})
    assert result.returncode == 78
    assert result.stderr.startswith("tft-dashboard: redis." + complaint.format(certificates))
    assert result.stderr.count("\n") == 1


class TlsStack(Stack):
    """Redis with a certificate; workers that know an authority and have their own certificate or none."""

    def __init__(self, certificates, shown="good", authority="ca", own=None, wanted="no", host="127.0.0.1"):
        super().__init__(workers=1, interval=INTERVAL, l1=False)
        self.certificates, self.shown, self.authority, self.own, self.wanted = certificates, shown, authority, own, wanted
        self.address = f"rediss://tft@{host}:{{}}"

    def restart_redis(self):
        port, files = free_port(), self.certificates
        self.address = self.address.format(port)
        with open(self.redis_socket.parent.parent / "etc" / "redis.conf", "a") as config:
            config.write(f"bind 127.0.0.1\ntls-port {port}\ntls-auth-clients {self.wanted}\ntls-ca-cert-file {files}/ca.pem\n"
                         f"tls-cert-file {files}/{self.shown}.pem\ntls-key-file {files}/{self.shown}.key\n")
        super().restart_redis()

    def worker_env(self, host):
        files = self.certificates
        env = {**super().worker_env(host), "TFT_REDIS": self.address, "TFT_REDIS_CA_FILE": f"{files}/{self.authority}.pem"}
        if self.own:
            env |= {"TFT_REDIS_CERT_FILE": f"{files}/{self.own}.pem", "TFT_REDIS_KEY_FILE": f"{files}/{self.own}.key"}
        return env


GOOD = {
    "an address": {},
    "a name": {"shown": "name", "host": "localhost"},
    "a certificate of ours": {"own": "client", "wanted": "yes"},
}


@spoken
@pytest.mark.parametrize("case", GOOD)
def test_pages_are_shared_over_tls_on_one_connection(certificates, case):
    with TlsStack(certificates, **GOOD[case]) as stack:
        stack.wait_fleet()
        for _ in range(20):
            assert stack.get("/").status_code == 200
        assert stack.redis.hexists("tft:cur:fleet", "bucket")
        received = stack.redis.info("stats")["total_connections_received"]
        for _ in range(20):
            assert stack.get("/").status_code == 200
        assert stack.redis.info("stats")["total_connections_received"] == received
        assert "ev=redis_down" not in stack.logs()


class SentinelStack(TlsStack):
    """One sentinel, also with TLS, and with its own password."""
    PASSWORD = "of-the-sentinel"
    sentinel = None

    def restart_redis(self):
        super().restart_redis()
        port, files, primary = free_port(), self.certificates, self.address.rpartition(":")[2]
        config = self.dir / "sentinel.conf"
        config.write_text(f"port 0\nbind 127.0.0.1\ntls-port {port}\ntls-replication yes\ntls-auth-clients no\ntls-ca-cert-file {files}/ca.pem\n"
                          f"tls-cert-file {files}/good.pem\ntls-key-file {files}/good.key\ndir {self.dir}\nrequirepass {self.PASSWORD}\n"
                          f"sentinel monitor tft 127.0.0.1 {primary} 1\n")
        self.sentinel = Service("sentinel", [REDIS_SERVER, config, "--sentinel"], self.dir / "sentinel.log")
        self.address = f"rediss-sentinel://tft@127.0.0.1:{port}/tft"

    def worker_env(self, host):
        return {**super().worker_env(host), "TFT_REDIS_SENTINEL_PASSWORD": self.PASSWORD}

    def stop(self, check=True):
        if self.sentinel:
            self.sentinel.stop()
        super().stop(check)


@spoken
def test_a_sentinel_with_a_password_names_the_primary_over_tls(certificates):
    with SentinelStack(certificates) as stack:
        stack.wait(lambda: stack.redis.hexists("tft:cur:fleet", "bucket"), 20, "pages are shared")
        assert stack.get("/").status_code == 200
        assert stack.PASSWORD not in stack.logs()


@spoken
def test_a_handshake_that_does_not_end_counts_as_down():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"rediss://127.0.0.1:{silent.getsockname()[1]}"
        with Stack(workers=1, interval=INTERVAL, l1=False, redis=False, env={"TFT_REDIS": address}) as stack:
            stack.wait(lambda: 'ev=redis_down err="deadline passed"' in stack.logs(), what="Redis counts as down")
            stack.wait(lambda: stack.get("/api/v1/fleet").status_code == 200, 15, "the worker fetches for itself")


BAD = {
    "another authority": ({"authority": "stranger"}, "certificate: self-signed certificate in certificate chain"),
    "another name": ({"shown": "other"}, "certificate: IP address mismatch"),
    "a name that is not its": ({"shown": "other", "host": "localhost"}, "certificate: hostname mismatch"),
    "out of date": ({"shown": "old"}, "certificate: certificate has expired"),
    "a certificate is wanted": ({"wanted": "yes"}, "certificate required"),
}


@spoken
@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_certificate_is_told_and_costs_no_page(certificates, case):
    options, complaint = BAD[case]
    with TlsStack(certificates, **options) as stack:
        # It is logged once a minute: on a busy machine the first line may be about a handshake that took too long.
        stack.wait(lambda: re.search(f"ev=redis_down .*{complaint}", stack.logs()), 70, "the complaint")
        stack.wait(lambda: stack.get("/api/v1/fleet").status_code == 200, 15, "the worker fetches for itself")
        assert stack.password not in stack.logs()
        assert not stack.redis.hexists("tft:cur:fleet", "bucket")
