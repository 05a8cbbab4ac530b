# SPDX-License-Identifier: MIT
"""Who may do what: the shipped nginx examples that authenticate, false claims of clients, and where the keys must not be."""
import http.server
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import threading

import pytest
import requests

from stack import BUILD, ROOT, Stack, free_port, long_interval

SAME = {"Sec-Fetch-Site": "same-origin"}
CLAIMS = {"X-Remote-User": "alice", "Remote-User": "alice", "REMOTE_USER": "alice", "Remote_User": "alice",
          "X-Forwarded-User": "alice", "TFT-User": "alice", "Proxy": "http://127.0.0.1:1", "X-Original-Method": "GET"}
SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Site(Stack):
    """A stack whose site is one of nginx/examples, with the files and addresses of the test."""

    def __init__(self, example, replace=(), tls=True, **options):
        env = {"TFT_OPERATORS": "alice,carol", **options.pop("env", {})}
        super().__init__(workers=1, interval=long_interval(), env=env, **options)
        self.example, self.replace, self.tls = example, dict(replace), tls

    def render(self, host):
        super().render(host)
        text = (ROOT / "nginx" / "examples" / self.example).read_text()
        places = {"/etc/tft-dashboard/nginx/": "", "listen 443": f"listen 127.0.0.1:{host.port}",
                  "listen 127.0.0.1:8080": f"listen 127.0.0.1:{host.port}",
                  "/var/log/nginx/tft-dashboard.log": host.dir / "log" / "access.log", **self.replace}
        for old, new in places.items():
            text = text.replace(old, str(new))
        (host.dir / "etc" / "site.conf").write_text(text)
        path = host.dir / "etc" / "nginx.conf"
        config, count = re.subn(r"\tserver \{.*?\n\t\}\n", "", path.read_text(), flags=re.S)
        assert count == 1
        # The site includes tft-http.conf.
        config = config.replace("include tft-http.conf;", "include site.conf;")
        path.write_text(config)
        host.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{host.port}"

    def healthy(self, host):
        try:
            socket.create_connection(("127.0.0.1", host.port), 5).close()
            return True
        except OSError:
            return False

    def refresh(self, **kw):
        """The status of an operator's action, as if nobody had refreshed before."""
        self.redis.delete("tft:gate:flush")
        kw["headers"] = {**SAME, **kw.get("headers", {})}
        return self.post("/refresh", {"confirm": "1"}, **kw).status_code


# Names and passwords with auth_basic, certificates of an authority of the test

def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Files NAME.key and NAME.pem of an authority, a server, and clients."""
    directory = pathlib.Path(tmp_path_factory.mktemp("pki"))
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    for authority in ("ca", "stranger"):
        openssl(directory, "req", "-x509", *key, "-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-subj", f"/CN={authority}")
    certificates = [("server", "/CN=127.0.0.1", "ca"), ("alice", "/O=Site/CN=alice", "ca"), ("bob", "/O=Site/CN=bob", "ca"),
                    ("forger", "/O=x,CN=alice/CN=bob", "ca"), ("outer", "/CN=bob/O=a,CN=alice", "ca"), ("fake", "/CN=alice", "stranger")]
    for name, subject, authority in certificates:
        openssl(directory, "req", *key[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", f"{name}.pem")
    users = [f"{name}:{{PLAIN}}{name}-password\n" for name in ("alice", "bob")]
    (directory / "users").write_text("".join(users))
    os.chmod(directory, 0o755)
    return directory


def tls_files(pki):
    return {"/etc/ssl/certs/dashboard.pem": pki / "server.pem", "/etc/ssl/private/dashboard.key": pki / "server.key",
            "/etc/tft-dashboard/users": pki / "users", "/etc/tft-dashboard/clients.pem": pki / "ca.pem"}


def login(name):
    return name, f"{name}-password"


def test_auth_basic_tells_operators_from_viewers_and_lets_nobody_else_in(pki):
    with Site("auth-basic.conf", tls_files(pki)) as site:
        ca = {"verify": pki / "ca.pem"}
        site.wait(lambda: site.get("/", auth=login("bob"), **ca).status_code == 200, what="the first page")
        assert site.refresh(auth=login("alice"), **ca) == 303
        assert site.refresh(auth=login("bob"), **ca) == 403
        assert site.refresh(auth=login("bob"), headers=CLAIMS, **ca) == 403
        for wrong in (None, ("alice", "bob-password"), ("carol", "carol-password")):
            for answer in (site.get("/", auth=wrong, **ca), site.post("/refresh", {"confirm": "1"}, auth=wrong, headers=SAME, **ca)):
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Basic ")
                assert_secured(answer)
        assert "alice" in site.logs() and " ev=audit user=alice " in site.logs()
        assert re.search(r'status=303 .* user="alice"', site.access_log())


class Sso(http.server.BaseHTTPRequestHandler):
    """An authentication service that takes the cookie as the name."""

    def do_GET(self):
        name = self.headers.get("Cookie", "").removeprefix("session=")
        self.server.seen.append(dict(self.headers.items()))
        self.send_response(200 if name in ("alice", "bob") else 401)
        self.send_header("Remote-User", name)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def test_auth_request_takes_the_name_from_the_service_alone(pki):
    service = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Sso)
    service.seen = []
    threading.Thread(target=service.serve_forever, daemon=True).start()
    files = {**tls_files(pki), "127.0.0.1:9091": f"127.0.0.1:{service.server_port}"}
    with Site("auth-request.conf", files) as site:
        ca = {"verify": pki / "ca.pem"}

        def cookie(name):
            return {"Cookie": f"session={name}"}

        site.wait(lambda: site.get("/", headers=cookie("bob"), **ca).status_code == 200, what="the first page")
        assert site.refresh(headers=cookie("alice"), **ca) == 303
        assert site.refresh(headers=cookie("bob"), **ca) == 403
        assert site.refresh(headers={**CLAIMS, **cookie("bob")}, **ca) == 403
        assert site.refresh(headers=CLAIMS, **ca) == 401
        assert site.get("/auth", headers=cookie("alice"), **ca).status_code == 404
        assert_secured(site.get("/", **ca))
        assert not [seen for seen in service.seen if "alice" in seen.get("Remote-User", "")]
        service.shutdown()
        service.server_close()
        answer = site.get("/", headers=cookie("alice"), **ca)
        assert answer.status_code == 500 and "restarting" in answer.text
        assert_secured(answer)


def test_client_certificates_make_operators_and_others_are_viewers(pki):
    with Site("client-certificates.conf", tls_files(pki)) as site:
        def shown_as(name):
            return {"verify": pki / "ca.pem", "cert": (pki / f"{name}.pem", pki / f"{name}.key")}

        anonymous = {"verify": pki / "ca.pem"}
        site.wait(lambda: site.get("/", **anonymous).status_code == 200, what="the first page")
        assert site.refresh(**anonymous) == 403
        assert site.refresh(headers=CLAIMS, auth=("alice", "x"), **anonymous) == 403
        assert site.refresh(**shown_as("alice")) == 303
        for name in ("bob", "forger", "outer"):
            assert site.get("/", **shown_as(name)).status_code == 200
            assert site.refresh(**shown_as(name)) == 403, name
        refused = site.get("/", **shown_as("fake"))
        assert refused.status_code == 400
        assert_secured(refused)


@pytest.mark.parametrize("anonymous, status", [("viewer", 403), ("operator", 303)])
def test_without_authentication_no_claimed_name_counts(anonymous, status):
    with Site("plain.conf", tls=False, env={"TFT_ANONYMOUS": anonymous}) as site:
        site.wait(lambda: site.get("/").status_code == 200, what="the first page")
        assert site.refresh() == status
        assert site.refresh(headers=CLAIMS, auth=("alice", "x")) == status
        assert "user=alice" not in site.logs() and 'user="alice"' not in site.access_log()


# Below a path of a site that has its own pages

@pytest.fixture(scope="module")
def below(pki, tmp_path_factory):
    root, port = tmp_path_factory.mktemp("www"), free_port()
    os.chmod(root, 0o755)
    for parent in (root.parent, root.parent.parent):
        os.chmod(parent, 0o755)
    (root / "index.html").write_text("the site")
    files = {"/etc/ssl/certs/site.pem": pki / "server.pem", "/etc/ssl/private/site.key": pki / "server.key", "/var/www/html": root,
             "listen 127.0.0.1:8080": f"listen 127.0.0.1:{port}", "http://127.0.0.1:8080": f"http://127.0.0.1:{port}"}
    with Site("sub-path.conf", files, env={"TFT_FLEET_METRICS": "on"}) as site:
        site.inner = f"http://127.0.0.1:{port}"
        site.ca = {"verify": pki / "ca.pem"}
        site.wait(lambda: site.get("/fleet/", **site.ca).status_code == 200, what="the first page")
        yield site


def test_a_site_keeps_its_pages_and_its_limits(below):
    assert below.get("/", **below.ca).text == "the site"
    assert below.get("/nothing", **below.ca).text.count("nginx") > 0, "its own error page"
    assert below.post("/", "x" * 100000, **below.ca).status_code == 405, "not 413"


def test_all_links_work_below_a_path(below):
    assert below.get("/fleet", **below.ca).headers["location"].endswith("/fleet/")
    page = below.get("/fleet/heatmap", **below.ca)
    links = set(re.findall(r'(?:href|src|action)="([^"#:]+)"', page.text))
    assert len(links) > 10
    for link in links:
        target = requests.compat.urljoin("/fleet/heatmap", link)
        assert target.startswith("/fleet/"), link
        status = below.get(target.replace("&amp;", "&"), **below.ca).status_code
        assert status == (405 if link in ("refresh", "scenario") else 200), link


def test_metrics_are_for_this_machine_and_not_for_whom_its_proxy_serves(below):
    for path in ("/metrics", "/metrics/fleet"):
        assert requests.get(below.inner + path, timeout=5).status_code == 200
        for claim in ({}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Real-IP": "::1"}):
            for spelling in ("/fleet", "/fleet/", "/fleet/x/.."):
                assert below.get(spelling + path, headers=claim, **below.ca).status_code == 404
        for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"):
            assert requests.get(below.inner + path, headers={header: "127.0.0.1"}, timeout=5).status_code == 403, header


# Answers of nginx itself

def assert_secured(answer):
    for name, value in SECURITY.items():
        assert answer.headers.get(name) == value, name
    assert "permissions-policy" in answer.headers
    assert answer.headers["server"] == "nginx"
    assert answer.headers["cache-control"] == "no-store"


def raw(stack, request):
    """The head of the answer to these bytes, without waiting for its end: nginx may still wait for the announced body."""
    data = b""
    with socket.create_connection(("127.0.0.1", stack.hosts[0].port), timeout=15) as peer:
        peer.sendall(request)
        while b"\r\n\r\n" not in data:
            chunk = peer.recv(65536)
            assert chunk, data
            data += chunk
    head = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    answer = requests.Response()
    answer.status_code = int(head[0].split()[1])
    answer.headers.update(line.split(": ", 1) for line in head[1:])
    return answer


HEAD = b"Host: a\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def quiet():
    with Stack(workers=1, interval=long_interval()) as stack:
        stack.wait_fleet()
        yield stack


@pytest.mark.parametrize("request_bytes, status", [
    (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    (b"GET /%00 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    (b"TRACE / HTTP/1.1\r\n" + HEAD + b"\r\n", 405),
    (b"POST /refresh HTTP/1.1\r\n" + HEAD + b"Content-Length: 5000000000\r\n\r\n", 413),
    (b"GET /" + b"x" * 40000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 414),
    (b"GET / HTTP/1.1\r\n" + HEAD + b"A: " + b"x" * 40000 + b"\r\n\r\n", 400),
    (b"GET /static/none.css HTTP/1.1\r\n" + HEAD + b"\r\n", 404),
    (b"GET / HTTP/9.9\r\n" + HEAD + b"\r\n", 505),
], ids=["400-host", "400-nul", "405", "413", "414", "400-header", "404-static", "505"])
def test_what_nginx_refuses_itself_has_the_security_headers(quiet, request_bytes, status):
    answer = raw(quiet, request_bytes)
    assert answer.status_code == status
    assert_secured(answer)


def test_too_many_requests_have_them_too(quiet):
    statuses = {}
    for _ in range(40):
        answer = quiet.post("/scenario", headers=SAME)
        statuses[answer.status_code] = answer
    assert_secured(statuses[429])


def test_so_has_the_page_that_stands_in_for_workers():
    with Stack(workers=1, interval=long_interval(), l1=False) as stack:
        stack.wait_fleet()
        stack.hosts[0].workers[0].stop()
        answer = stack.get("/")
        assert answer.status_code == 502 and answer.headers["retry-after"] == "5"
        assert_secured(answer)


# The keys

KEY = "key-0f6a1c-that-nobody-sees"


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "api.key"
    path.touch(0o600)
    path.write_text(KEY + "\n")
    return path


def readable(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def processes():
    return [path for path in pathlib.Path("/proc").glob("[0-9]*") if path.name != str(os.getpid())]


def test_the_key_is_sent_upstream_and_is_nowhere_else(key_file):
    with Stack(workers=2, interval=5, env={"TFT_API_KEY_FILE": str(key_file)}) as stack:
        stack.wait_fleet()
        stack.upstream.predictions.status = 401
        stack.upstream.predictions.body = f'{{"detail":"wrong key {KEY}"}}'.encode()
        stack.wait(lambda: "ev=refresh_failed" in stack.logs(), 12, "a refusal in the log")
        assert [call.headers.get("x-api-key") for call in stack.upstream.predictions.calls][-1] == [KEY]
        paths = ["/", "/advanced", "/api/v1/status", "/readyz", "/metrics", "/api/v1/openapi.json", "/nothing", "/top?n=1"]
        for path in paths:
            answer = stack.get(path)
            assert KEY not in answer.text + str(answer.headers), path
        for name in ("worker.log", "nginx.log", "access.log", "redis.log"):
            assert KEY not in stack.hosts[0].log(name), name
        for key in stack.redis.keys():
            assert KEY.encode() not in (stack.redis.dump(key) or b""), key
        password = stack.password.encode()
        for process in processes():
            for name in ("cmdline", "environ"):
                text = readable(process / name)
                assert KEY.encode() not in text and password not in text, process / name
        env = {**stack.worker_env(stack.hosts[0])}
        for option in ("--print-config", "--check"):
            result = subprocess.run([BUILD / "tft-dashboard", option], env=env, capture_output=True, text=True, check=True)
            assert KEY not in result.stdout + result.stderr
            assert stack.password not in result.stdout + result.stderr
        config = subprocess.run([BUILD / "tft-dashboard", "-T"], env=env, capture_output=True, text=True, check=True).stdout
        assert re.search(r"^upstream\.api_key = \*\*\* ", config, re.M)


def test_a_bad_secret_is_refused_without_being_told(key_file):
    env = {"PATH": os.environ["PATH"], "TFT_API_KEY_FILE": str(key_file)}
    for text, mode in ((KEY + "\nsecond line\n", 0o600), (KEY + "\x01\n", 0o600), (KEY + "\n", 0o644)):
        key_file.write_text(text)
        key_file.chmod(mode)
        result = subprocess.run([BUILD / "tft-dashboard", "--check"], env=env, capture_output=True, text=True)
        assert result.returncode == 78
        assert len(result.stderr.splitlines()) == 1 and KEY not in result.stderr


def test_workers_leave_no_core_file_and_hide_their_memory(quiet):
    (pid,) = quiet.worker_pids()
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    # The files of a process that cannot be dumped belong to root.
    if os.geteuid() == 0:
        ours = shutil.which("setpriv")
        command = [ours, "--reuid", "65534", "--regid", "65534", "--clear-groups", "test", "-r", f"/proc/{pid}/environ"]
        assert subprocess.run(command).returncode != 0
    else:
        assert not os.access(f"/proc/{pid}/environ", os.R_OK)
