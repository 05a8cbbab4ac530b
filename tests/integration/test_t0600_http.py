# SPDX-License-Identifier: MIT
"""What goes over the wire: methods, conditions, errors, headers, encodings, and that no client can enlarge the cache."""
import concurrent.futures
import contextlib
import gzip
import random
import re
import socket
import string

import fcgi_client
import pytest
from patient import PatientStack
from stack import Stack, long_interval, to_bucket

INTERVAL = 300
SERVER = "ppml0001"
PAGES = ["/", "/heatmap", "/top", "/history", "/incidents", "/changes", "/accuracy", "/cost", "/remediation", "/alerting", "/docs", "/roadmap"]
PAGES += [f"/server/{SERVER}", "/?sev=watch-up", "/heatmap?metric=cpu", "/?format=json", "/cost?format=csv"]
API = ["fleet", "alerts", "heatmap", "top", f"servers/{SERVER}", "history", "incidents", "changes", "accuracy", "cost", "remediation", "alerting"]
API = [f"/api/v1/{name}" for name in API + ["openapi.json"]]
VOLATILE = ["/advanced", "/api/v1/status", "/healthz", "/readyz"]
ERRORS = ["/nothing", "/api/nothing", "/server/nobody", "/api/v1/servers/nobody", "/?sort=nonsense", "/refresh"]
ERRORS += ["/api/v1/alerts?sort=nonsense", "/" + "x" * 600]
SECURITY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def stack():
    with PatientStack(workers=2, interval=INTERVAL, ahead=to_bucket(INTERVAL)) as running:
        running.wait_fleet()
        yield running


def steady(stack, work):
    """The result of work(), from a time when neither a bucket ended nor a new snapshot arrived."""

    def moment():
        return stack.bucket_now(), stack.redis.hgetall("tft:cur:fleet")

    while True:
        before = moment()
        result = work()
        if moment() == before:
            return result


def plain(answer):
    """The headers that are the same for each request of a bucket."""
    varying = {"date", "x-request-id", "server-timing", "age", "cache-status", "cache-control"}
    return {name: value for name, value in answer.headers.lower_items() if name not in varying}


def raw(stack, text):
    """The whole answer to these bytes; the connection is closed after it."""
    with socket.create_connection(("127.0.0.1", stack.hosts[0].port), timeout=15) as sock:
        sock.sendall(text.encode("latin-1"))
        chunks = []
        with contextlib.suppress(ConnectionResetError):  # for a request that nginx did not read to its end
            while chunk := sock.recv(65536):
                chunks.append(chunk)
    head, _, body = b"".join(chunks).partition(b"\r\n\r\n")
    return head.decode("latin-1"), body


# Methods and conditions

@pytest.mark.parametrize("path", PAGES + API + ERRORS)
def test_head_is_get_without_the_body(stack, path):
    get, head = steady(stack, lambda: (stack.get(path), stack.head(path)))
    assert head.content == b""
    assert head.status_code == get.status_code
    assert plain(head) == plain(get)
    assert set(head.headers) - {"Server-Timing"} == set(get.headers) - {"Server-Timing"}


@pytest.mark.parametrize("path", VOLATILE + ["/metrics"])
def test_head_of_what_changes_all_the_time(stack, path):
    head = stack.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize("query", ["", "x=1"])
@pytest.mark.parametrize("path", PAGES + API)
def test_current_tag_gives_304(stack, path, query):
    """By both ways through nginx: stored by it, or passed on because of an unknown parameter."""
    path += ("&" if "?" in path else "?") + query if query else ""

    def conditional():
        tag = stack.get(path).headers["etag"]
        strong = tag.removeprefix("W/")
        tags = [tag, strong, f'"a", {tag}', f'{tag}, W/"b"', f'"a,b" , {tag}', "*"]
        return tag, [stack.get(path, headers={"If-None-Match": value}) for value in tags]

    tag, answers = steady(stack, conditional)
    for answer in answers:
        assert (answer.status_code, answer.content) == (304, b""), answer.request.headers["If-None-Match"]
        assert answer.headers["etag"] == tag
        assert "content-length" not in answer.headers
        assert "cache-control" in answer.headers and "vary" in answer.headers
    for other in ['"a"', f'"{tag}"', tag[:-2] + '"', "a", '"' + "x" * 400 + '"']:
        assert stack.get(path, headers={"If-None-Match": other}).status_code == 200, other


@pytest.mark.parametrize("path", PAGES + API)
def test_no_date_stands_for_what_a_page_says(stack, path):
    """The condition of the data changes, but their time does not."""
    answer = stack.get(path, headers={"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"})
    assert answer.status_code == 200
    assert "last-modified" not in answer.headers


def test_only_the_compact_view_may_be_embedded_and_no_forms(stack_factory):
    stack = stack_factory(interval=long_interval(), l1=False, env={"TFT_FRAME_ORIGIN": "https://wiki.example"})
    stack.wait_fleet()
    for path, ancestors in (("/heatmap?view=compact", "https://wiki.example"), ("/heatmap", "'none'"),
                            ("/heatmap?view=kiosk", "'none'"), ("/advanced?view=compact", "'none'")):
        policy = stack.get(path).headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors {ancestors}"), path


def test_another_name_gets_no_data(stack_factory):
    """With L1, whose keys have no host name: an answer given under one name is not shown under another."""
    stack = stack_factory(interval=long_interval(), env={"TFT_HOSTS": "dash.example,Dash"})
    stack.wait_fleet()
    port = str(stack.hosts[0].port)
    pages = ["/", "/heatmap", "/advanced", "/api/v1/fleet", "/api/v1/status", "/?format=json", "/badge/fleet.svg", "/healthz", "/metrics", "/nothing"]
    for path in pages:
        for host in ("dash.example", "DASH:" + port, "127.0.0.1", "[::1]:" + port, "localhost"):
            answer = stack.get(path, headers={"Host": host})
            assert answer.status_code == (404 if path == "/nothing" else 200), (path, host)
            assert "HIT" not in answer.headers.get("cache-status", "") and "nginx; hit" not in answer.headers.get("cache-status", "")
        for host in ("evil.example", "dash.example.evil.example", "127.0.0.1.evil.example"):
            answer = stack.get(path, headers={"Host": host})
            assert (answer.status_code, answer.headers["cache-control"]) == (421, "no-store"), (path, host)
            assert SERVER not in answer.text and "evil" not in answer.text
            if "/api/" in path or "format=json" in path:
                assert is_problem(answer, 421)
    head, _ = raw(stack, "GET http://evil.example/ HTTP/1.1\r\nHost: dash.example\r\nConnection: close\r\n\r\n")
    assert head.startswith("HTTP/1.1 421 ")
    answer = stack.post("/refresh", headers={"Host": "evil.example", "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 421
    # This would be a copy under any name while no worker answers.
    for service in stack.hosts[0].workers:
        service.stop()
    assert {stack.get(path, headers={"Host": "evil.example"}).status_code for path in pages} <= {404, 502, 504}


def test_current_tag_gives_304_without_l1(stack_factory):
    stack = stack_factory(interval=long_interval(), l1=False)
    stack.wait_fleet()
    for path in ("/", "/api/v1/fleet", "/?sev=critical-up"):
        tag = stack.get(path).headers["etag"]
        answer = stack.get(path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_other_methods_are_refused_with_the_allowed_ones(stack, method):
    for path in ["/", "/heatmap", f"/server/{SERVER}", "/api/v1/fleet", "/api/v1/status", "/healthz"]:
        answer = stack.request(method, path)
        assert (answer.status_code, answer.headers.get("allow")) == (405, "GET, HEAD"), path
    if method != "POST":
        for path in ("/refresh", "/scenario"):
            answer = stack.request(method, path)
            assert (answer.status_code, answer.headers.get("allow")) == (405, "POST"), path
    assert stack.request(method, "/nothing").status_code == 404


def test_reading_an_action_is_refused(stack):
    for path in ("/refresh", "/scenario"):
        answer = stack.get(path)
        assert (answer.status_code, answer.headers.get("allow")) == (405, "POST")


@pytest.mark.parametrize("method", ["FOO-BAR", "TRACE", "CONNECT", "get", "PRI"])
def test_made_up_methods_are_refused(stack, method):
    head, body = raw(stack, f"{method} /heatmap HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nConnection: close\r\n\r\n")
    assert re.match(r"HTTP/1\.1 (400|405) ", head), head
    assert "access-control" not in head.lower() and "http://b" not in head + body.decode()


@pytest.mark.parametrize("method", ["TRACE", "PUT", "POST", "OPTIONS", "DELETE"])
def test_what_nginx_refuses_by_its_method_names_the_others_too(stack, method):
    asset = re.search(r'(?:href|src)="(static/[^"]+)"', stack.get("/").text)[1]
    for path in (f"/{asset}", "/static/none", *(["/", "/api/v1/fleet"] if method == "TRACE" else [])):
        answer = stack.request(method, path)
        assert (answer.status_code, answer.headers.get("allow")) == (405, "GET, HEAD"), path
    if method == "TRACE":
        assert stack.request(method, "/refresh").headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/api/v1/fleet", "/api/v1/status", "/api/v1/openapi.json", "/docs"])
def test_if_unmodified_since_makes_no_read_fail(stack, path):
    for value in ("Mon, 24 Nov 2003 15:59:48 GMT", "Mon, 24 Nov 2103 15:59:48 GMT", "nonsense", "0"):
        answer = stack.get(path, headers={"If-Unmodified-Since": value})
        assert answer.status_code == 200 and answer.content, value


PROGRAMS = ["/api/v1/fleet", "/api/v1/servers/nobody", "/api/v1/nothing", "/healthz", "/readyz", "/refresh?format=json", "/?format=json"]


def is_problem(answer, status):
    found = answer.json()
    return (answer.status_code, answer.headers["content-type"], found["status"]) == (status, "application/problem+json", status)


@pytest.mark.parametrize("path", PROGRAMS)
def test_a_program_gets_problem_documents_whoever_refuses_it(stack, path):
    joint = "&" if "?" in path else "?"
    assert is_problem(stack.request("TRACE", path), 405)
    assert is_problem(stack.get(path + joint + "x=" + "y" * 3000), 414)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert is_problem(stack.post(path, "x" * 5000, headers=form), 413)
    assert is_problem(stack.post(path, headers={**form, "Content-Length": "x"}), 400)


def test_an_address_of_the_api_is_refused_as_problem_however_long(stack):
    assert is_problem(stack.get("/api/v1/" + "x" * 600), 414)
    assert stack.get("/" + "x" * 600).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/", "/api/v1/fleet"])
def test_too_many_requests_are_told_when_to_come_again(stack, path):
    """nginx limits forms at any address, and requests to the API."""
    answers = [Stack.request(stack, "POST", path) for _ in range(40)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    assert is_problem(refused, 429) if "api" in path else refused.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/heatmap", "/api/v1/fleet", "/docs"])
def test_a_part_of_a_page_is_never_sent(stack, path):
    whole = stack.get(path, headers={"Accept-Encoding": "identity"})
    for value in ("bytes=0-9", "bytes=-5", "bytes=5-1", "lines=1"):
        answer = stack.get(path, headers={"Range": value, "Accept-Encoding": "identity"})
        assert (answer.status_code, len(answer.content)) == (200, len(whole.content)), value
        assert "content-range" not in answer.headers


# Errors

def test_errors_have_their_codes_and_types(stack):
    page, problem = "text/html; charset=utf-8", "application/problem+json"
    long = "x" * 600
    for path, status, kind in [
        ("/nothing", 404, page),
        ("/heatmap/", 404, page),
        ("/static/nothing.css", 404, None),
        ("/server/nobody", 404, page),
        ("/api/v1/servers/nobody", 404, problem),
        ("/api/v1/nothing", 404, problem),
        (f"/{long}", 414, page),
        (f"/?q={long * 4}", 414, page),
        (f"/api/v1/{long}", 414, problem),
        ("/?n=1", 200, page),  # not a parameter of this page
        ("/top?n=1", 400, page),
        ("/api/v1/top?n=1", 400, problem),
        ("/cost?prevention_pct=1", 400, page),
        ("/cost?prevention_pct=1&format=json", 400, problem),
    ]:
        answer = stack.get(path)
        assert answer.status_code == status, path
        if kind:
            assert answer.headers["content-type"] == kind, path
        if status >= 400 and kind:
            assert answer.headers["cache-control"] == "no-store", path


@pytest.mark.parametrize("path, status", [
    ("/HEATMAP", 404),
    ("/heatmap.", 404),
    ("/heatmap%20", 404),
    ("/heatmap%2f", 404),
    ("/%2fheatmap", 200),  # same as //heatmap, which is one path
    ("/api%2fv1%2ffleet", 200),
    ("/api/v1/../v1/./fleet", 200),
    ("/api/v1/fleet/", 404),
    ("/heatmap;x=1", 404),
    ("/heatmap%3fformat=json", 404),
    ("/%00", 400),
    ("/heatmap%00", 400),
    ("/..%2f..%2fetc/passwd", 400),
    ("/../etc/passwd", 400),
    ("/static/../../../etc/passwd", 400),
    ("/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd", 400),
    ("/%", 400),
    ("/%zz", 400),
    ("/%e2%80%ae", 404),
    ("/%ff%fe", 404),
    ("/%1b[2J", 404),
    ("/server/", 404),
    ("/server/" + SERVER + "/", 404),
    ("/server/" + SERVER.upper(), 404),
    ("/server/" + SERVER + "%20", 404),
    ("/server/" + SERVER + "%0d%0aX: y", 400),  # a blank in the request line
    ("/server/" + SERVER + "%0d%0aX:%20y", 404),
    ("/server/%70" + SERVER[1:], 200),
    ("/server/..%2fadmin%2freload-model", 404),
    ("/api/v1/servers/%3cscript%3e", 404),
])
def test_a_path_is_right_or_refused(stack, path, status):
    head, body = raw(stack, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} "), head
    assert b"root:" not in body and b"<script>" not in body and "\nX:" not in head
    assert not stack.upstream.strays


@pytest.mark.parametrize("query, status", [
    ("page=-1", 400), ("page=1e9", 400), ("page=0x1", 400), ("page=+1", 400), ("page=%201", 400), ("page=1.0", 400),
    ("page=99999999999999999999", 400), ("page=%31", 200), ("page=1%00", 400), ("page=", 200), ("page", 200), ("=1", 200),
    ("page=1&page=x", 200), ("page=x&page=1", 400), ("PAGE=x", 200), ("page=1&&&", 200), ("&&=&=&", 200),
    ("refresh=1", 200), ("refresh=100000", 200), ("refresh=-1", 400), ("refresh=x", 400),
    ("q=%", 200), ("q=%zz%4", 200), ("q=%ff", 400), ("q=%1b", 400), ("q=%e2%80%ae", 400), ("q=%00", 400), ("q=%c0%af", 400),
    ("q=" + "a" * 64, 200), ("q=" + "a" * 65, 400), ("q=%22%3e%3cscript%3e", 200), ("x=" + "y" * 2000, 200), ("x=" + "y" * 2100, 414),
    ("x=" + "y" * 9000, 414), ("q=a b", 400), ("q=\xe9", 400), ("q=\x1b", 400),
])
def test_a_query_is_right_or_refused(stack, query, status):
    head, body = raw(stack, f"GET /?{query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} "), head
    assert b"><script>" not in body and b"\x1b" not in body


def test_of_a_doubled_parameter_the_first_counts(stack):
    first, doubled = steady(stack, lambda: (stack.get("/heatmap?metric=cpu"), stack.get("/heatmap?metric=cpu&metric=memory")))
    assert doubled.content == first.content


def test_request_line_of_any_length_is_refused_in_order(stack):
    head, _ = raw(stack, f"GET /{'x' * 40000} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert head.startswith("HTTP/1.1 414 ")


@pytest.mark.parametrize("path, values", [
    ("/?profile=", "ml, db, web, conductor, etl, risk, generic"),
    ("/?sev=", "imminent, critical, danger"),
    ("/?page=", "1 to 200"),
    ("/top?n=", "5 to 20"),
    ("/heatmap?metric=", "risk, cpu, memory, load"),
    ("/history?range=", "30m, 1h, 8h, 1d, 7d"),
    ("/api/v1/history?metric=", "prob_30m, prob_8h"),
    ("/cost?prevention_pct=", "50 to 100"),
])
def test_bad_value_is_answered_with_the_valid_ones_and_not_repeated(stack, path, values):
    for bad in ("marker12345", "%3Cscript%3Emarker12345", "marker12345%0d%0aSet-Cookie:%20a"):
        answer = stack.get(path + bad)
        assert answer.status_code == 400
        assert values in answer.text
        assert "marker12345" not in answer.text + str(answer.headers)


def test_nothing_of_an_address_is_repeated(stack):
    for path in ("/marker12345", "/server/marker12345", "/api/v1/servers/marker12345", "/?marker12345=1"):
        answer = stack.get(path)
        assert "marker12345" not in answer.text + str(answer.headers), path


# Headers

@pytest.mark.parametrize("path", PAGES + API + VOLATILE + ERRORS + ["/metrics"])
def test_every_answer_of_a_worker_has_the_security_headers_and_a_length(stack, path):
    for answer in (stack.get(path), stack.get(path, headers={"Accept-Encoding": "identity"})):
        for name, value in SECURITY.items():
            assert answer.headers.get(name) == value, name
        assert "permissions-policy" in answer.headers
        assert "set-cookie" not in answer.headers
        assert re.fullmatch(r"\d+", answer.headers["content-length"])
        assert "transfer-encoding" not in answer.headers
        assert re.fullmatch("nginx", answer.headers["server"])


def test_static_files_are_immutable_and_keep_their_type(stack):
    assets = re.findall(r'(?:href|src)="(static/[^"]+)"', stack.get("/").text)
    assert assets
    for asset in set(assets):
        answer = stack.get("/" + asset)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        for found in (answer, stack.get("/static/nothing.css")):
            assert found.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert found.headers["cross-origin-resource-policy"] == "same-origin"
            assert found.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"].split(";")[0] in ("text/css", "text/javascript", "image/svg+xml")


def ttl_of(answer):
    return int(re.search(r"tft-redis; hit; ttl=(-?\d+)", answer.headers["cache-status"])[1])


@pytest.mark.parametrize("path", ["/", "/heatmap?metric=cpu", "/api/v1/fleet", "/api/v1/top?x=1"])
def test_age_and_ttl_are_counted_from_when_the_data_were_asked_for(stack, path):
    def look():
        return stack.redis.time()[0], stack.get(path), stack.redis.time()[0]

    before, answer, after = steady(stack, look)
    gen = int(stack.redis.hget("tft:cur:fleet", "gen"))
    bucket = int(stack.redis.hget("tft:cur:fleet", "bucket"))
    stored = 1  # an L1 copy is up to a second older
    assert before - gen / 1000 - 1 - stored <= int(answer.headers["age"]) <= after - gen / 1000 + 1
    assert int(answer.headers["x-tft-bucket"]) == bucket
    assert (bucket + 1) * stack.interval - after - 1 <= ttl_of(answer) <= (bucket + 1) * stack.interval - before + stored


def test_lifetimes_of_live_pages_and_data(stack):
    # A copy may be served in place of a worker's answer for as long as it is true: 600 s, less the time that nginx waits
    # for a worker.
    for path in ("/", "/api/v1/fleet"):
        found = stack.get(path).headers
        allowed = re.fullmatch(r"stale-if-error=(\d+), max-age=5", found["cache-control"])
        assert 585 - 1 <= int(allowed[1]) + int(found["age"]) <= 600 - 12, path
    for path in PAGES + API:
        assert stack.get(path).headers["vary"] == "Accept-Encoding", path
    for path in ("/advanced", "/healthz", "/readyz", "/metrics"):
        assert stack.get(path).headers["cache-control"] == "no-store", path


def test_behind_authentication_nobody_else_may_keep_a_page(stack):
    """Our own nginx may: it stores only pages that are the same for all viewers."""
    def seen(user):
        return direct(stack, "/", user=user).headers

    assert seen("alice")["cache-control"].replace(", private", "") == seen("")["cache-control"]
    assert ", private" in seen("alice")["cache-control"]
    assert {seen(user)["x-accel-expires"][0] for user in ("alice", "")} == {"@"}


def test_late_data_have_a_negative_ttl_and_no_lifetime():
    with Stack(workers=2, interval=5) as stack:
        stack.wait_fleet()
        stack.upstream.predictions.hold()
        late = stack.wait(lambda: found if ttl_of(found := stack.get("/")) < 0 else None, 10, "the bucket ends")
        assert re.search(r"tft-redis; hit; ttl=-\d+; detail=(REFRESH|BUSY)\b", late.headers["cache-status"])
        assert re.fullmatch(r"stale-while-revalidate=1, (stale-if-error=\d+, )?max-age=0", late.headers["cache-control"])
        stack.upstream.predictions.release()


def members(answer):
    return re.split(r", (?=nginx|tft-)", answer.headers["cache-status"])


def test_both_caches_say_what_they_did(stack):
    path = "/heatmap?sort=name"
    first = stack.get(path)
    assert re.fullmatch(r'tft-redis; hit; ttl=\d+(; key="heatmap")?', members(first)[0])
    assert members(first)[1] in ("nginx; fwd=uri-miss; stored", "nginx; fwd=stale; stored", "nginx; hit")
    hit = stack.wait(lambda: found if members(found := stack.get(path))[-1] == "nginx; hit" else None, what="a hit of L1")
    assert re.match(r"tft-redis; hit; ttl=", members(hit)[0])
    again = stack.wait(
        lambda: found if members(found := stack.get(path))[-1] == "nginx; fwd=stale; stored" else None, what="L1 expires"
    )
    assert again.status_code == 200
    assert members(stack.get("/?x=1"))[-1] == "nginx; fwd=bypass"
    assert members(stack.get("/cost?avg_hours=3"))[-1] == "nginx; fwd=bypass"
    stored = stack.get("/?x=1")
    assert re.search(r'; key="overview"$', members(stored)[0])


# Encodings

@pytest.mark.parametrize("path", PAGES + API)
def test_both_encodings_have_one_tag_and_one_content(stack, path):
    packed, identity = steady(
        stack,
        lambda: [stack.get(path, headers={"Accept-Encoding": name}, stream=True) for name in ("gzip", "identity")],
    )
    assert packed.headers["etag"] == identity.headers["etag"]
    assert "content-encoding" not in identity.headers
    body = packed.raw.read(decode_content=False)
    assert int(packed.headers["content-length"]) == len(body)
    if packed.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    assert body == identity.content
    assert packed.headers.get("content-encoding") == "gzip" or len(body) < 1024


@pytest.mark.parametrize("accept, encoding", [
    ("gzip", "gzip"),
    ("GZIP", "gzip"),
    ("br, gzip;q=0.5", "gzip"),
    ("deflate,gzip", "gzip"),
    ("gzip;q=1.0", "gzip"),
    ("gzip;q=0", None),
    ("gzip; q=0.000, br", None),
    ("br, gzip;q=0", None),
    ("identity", None),
    ("br", None),
    ("xgzip", None),
    ("", None),
])
def test_accept_encoding_is_understood(stack, accept, encoding):
    for path in ("/", "/?x=1"):
        answer = stack.get(path, headers={"Accept-Encoding": accept})
        assert answer.headers.get("content-encoding") == encoding, path


# One page for everybody

def words(rng, most=40):
    return "".join(rng.choices(string.ascii_letters + string.digits + " ;,=/.*-", k=rng.randrange(1, most))).strip() or "a"


def random_headers(rng):
    names = ["Accept", "Accept-Language", "Authorization", "Cookie", "DNT", "Forwarded", "From", "Origin", "Pragma",
             "Cache-Control", "Referer", "Sec-Fetch-Site", "TFT-INM", "TFT_END", "Remote-User", "Remote_User", "Te",
             "User-Agent", "Via", "X-Accel-Expires", "X-Accel-Redirect", "X-Forwarded-For", "X-Forwarded-Host",
             "X-Original-URL", "X-Request-Id", "X-Rewrite-URL", "X-HTTP-Method-Override", "Proxy", "Content-Type"]
    headers = {name: words(rng) for name in rng.sample(names, rng.randrange(1, 12))}
    headers["X-" + "".join(rng.choices(string.ascii_letters, k=8))] = words(rng, 1000)
    return headers


def test_no_header_changes_a_page(stack):
    rng = random.Random(600)
    for path in ("/", "/heatmap?x=1", "/api/v1/fleet", "/docs"):
        def ask():
            wanted = stack.get(path)
            return wanted, [stack.get(path, headers=random_headers(rng)) for _ in range(50)]

        wanted, answers = steady(stack, ask)
        for answer in answers:
            assert answer.status_code == 200, answer.request.headers
            assert (answer.content, plain(answer)) == (wanted.content, plain(wanted)), answer.request.headers


def test_old_and_odd_requests_get_the_same_page(stack):
    def ask():
        return stack.get("/heatmap", headers={"Accept-Encoding": "identity"}).content, [raw(stack, text) for text in (
            "GET /heatmap HTTP/1.0\r\n\r\n",
            "GET /heatmap HTTP/1.0\r\nHost: elsewhere.example\r\n\r\n",
            "GET http://elsewhere.example/heatmap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET //heatmap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET /x/../heatmap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET /%68eatmap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET /heatmap HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\nAccept: x\r\nAccept: y\r\n"
            "TFT_END: 0\r\nREQUEST_METHOD: POST\r\nConnection: close\r\n\r\n",
        )]

    body, answers = steady(stack, ask)
    for head, got in answers:
        assert re.match(r"HTTP/1\.1 200 ", head), head
        assert got == body
        assert "elsewhere" not in head
        assert re.search(r"(?im)^content-length: \d+\r?$", head) and "chunked" not in head


def test_doubled_headers_that_decide_are_refused(stack):
    head, _ = raw(stack, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 ")
    head, _ = raw(stack, "POST /refresh HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
    assert head.startswith("HTTP/1.1 400 ")
    tag = stack.get("/docs").headers["etag"]
    both = f'If-None-Match: "a"\r\nIf-None-Match: {tag}\r\n'
    head, _ = raw(stack, f"GET /docs HTTP/1.1\r\nHost: a\r\n{both}Connection: close\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 ")


@pytest.mark.parametrize("name, value", [
    ("Origin", "http://a"), ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/x-www-form-urlencoded"),
])
def test_a_doubled_header_gives_no_right(stack, name, value):
    """The bad one may come first or last: neither a joined value nor only one of them may pass."""
    for pair in ((value, "cross-site"), ("cross-site", value)):
        lines = "".join(f"{name}: {v}\r\n" for v in pair)
        head, _ = raw(stack, f"POST /refresh HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{lines}Connection: close\r\n\r\n")
        assert re.match(r"HTTP/1\.1 4\d\d ", head), (pair, head)
    assert not stack.redis.exists("tft:gate:flush")


@pytest.mark.parametrize("lines, status", [
    ("X-A: " + "x" * 3000, 200),
    ("X-A: " + "x" * 40000, 400),
    ("Cookie: " + "a=b; " * 8000, 400),
    ("\r\n".join(f"X-{i}: y" for i in range(300)), 200),
    ("If-None-Match: " + '"x", ' * 800, 200),
    ("If-None-Match: \x1b[2J\xff", 200),
    ("User-Agent: \x1b[2J\x07\xff", 200),
    ("X-A: a\x00b", 400),
    ("X-A: a\r\n b: c", 400),
    (" folded", 400),
    ("No colon", 400),
    ("X_A: b", 200),
    ("Transfer-Encoding: chunked\r\nContent-Length: 3", 400),
    ("Transfer-Encoding: bogus", 501),
    ("Expect: 200-ok", 200),
])
def test_odd_headers_are_ignored_or_refused(stack, lines, status):
    head, body = raw(stack, f"GET /heatmap HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} "), head
    assert "\x1b" not in head and b"\x1b" not in body


# Bodies

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize("lines, body, status", [
    (FORM, "", 400),  # no length
    (FORM + "Content-Length: 10", "confirm=1", None),  # a byte is missing: nginx waits for it
    (FORM + "Content-Length: 5000", "x" * 5000, 413),
    (FORM + "Content-Length: 99999999999", "x", 413),
    (FORM + "Content-Length: 99999999999999999999999", "x", 400),
    (FORM + "Content-Length: -1", "x", 400),
    (FORM + "Content-Length: 0x1", "x", 400),
    (FORM + "Content-Length: 3", "a\0b", 400),
    (FORM + "Transfer-Encoding: chunked", "9\r\nconfirm=1\r\n0\r\n\r\n", 403),
    (FORM + "Transfer-Encoding: chunked", "zz\r\n", 400),
    (FORM + "Transfer-Encoding: chunked\r\nContent-Length: 3", "0\r\n\r\n", 400),
    ("Content-Type: text/plain\r\nContent-Length: 1", "x", 403),  # the sender is not an operator: that is checked first
])
def test_a_body_is_right_or_refused(stack, lines, body, status):
    text = f"POST /scenario HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n\r\n{body}".replace("\r\n\r\n\r\n", "\r\n\r\n")
    if status is None:
        with socket.create_connection(("127.0.0.1", stack.hosts[0].port), timeout=15) as sock:
            sock.sendall(text.encode())
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
    else:
        head, _ = raw(stack, text)
        assert head.startswith(f"HTTP/1.1 {status} "), head
    assert stack.upstream.scenario_set.count == 0


def test_a_body_of_a_get_is_ignored(stack):
    plain_body = stack.get("/heatmap", headers={"Accept-Encoding": "identity"}).content
    head, body = raw(stack, "GET /heatmap HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\npage=x")
    assert head.startswith("HTTP/1.1 200 ") and len(body) == len(plain_body)


# What does not come from nginx

POST = {"REQUEST_METHOD": "POST", "DOCUMENT_URI": "/refresh", "CONTENT_TYPE": "application/x-www-form-urlencoded", "TFT_SFS": "same-origin"}


@pytest.mark.parametrize("length, body, status", [
    ("", b"", 400), ("5", b"abcd", 400), ("3", b"abcd", 400), ("x", b"", 400), ("-1", b"", 400), ("4097", b"x" * 4097, 413),
    ("18446744073709551617", b"x", 413), (" 1", b"x", 400), ("3", b"a\0b", 400), ("4096", b"x" * 4096, 403), ("0", b"", 403),
])
def test_a_worker_compares_length_and_body(stack, length, body, status):
    params = dict(POST, QUERY_STRING="", CONTENT_LENGTH=length, TFT_END="1")
    answer = fcgi_client.request(stack.hosts[0].dir / "fcgi.sock", params, body)
    assert (answer.status, answer.complete) == (status, True)


def test_parameters_that_are_cut_get_no_answer(stack):
    """At each byte: a cut request is never taken for another one, and no worker is lost."""
    params = {"REQUEST_METHOD": "GET", "DOCUMENT_URI": "/heatmap", "QUERY_STRING": "sev=danger", "TFT_AE": "", "TFT_END": "1"}
    pids = set(stack.worker_pids())
    pairs = fcgi_client.pairs(params)
    begin = fcgi_client.encode({})[:16]
    for end in range(len(pairs)):
        whole = begin + fcgi_client.stream(fcgi_client.PARAMS, pairs[:end]) + fcgi_client.stream(fcgi_client.STDIN, b"")
        half = begin + fcgi_client.record(fcgi_client.PARAMS, pairs)[:8 + end]
        for data in (whole, half):
            assert exchange(stack, data) in ((0, True), (0, False)), end
    for odd in ({**params, "TFT_END": "0"}, {**params, "TFT_END": "11"}, {"TFT_END": ""}, {}):
        assert exchange(stack, fcgi_client.encode(odd))[0] == 0, odd
    assert set(stack.worker_pids()) == pids
    assert direct(stack, "/heatmap").status == 200


def exchange(stack, data):
    """(status, complete) of the answer to these bytes; nothing follows them."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(15)
        sock.connect(str(stack.hosts[0].dir / "fcgi.sock"))
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        out, complete = b"", False
        with contextlib.suppress(ConnectionResetError):
            for kind, content in fcgi_client.records(sock):
                out += content if kind == fcgi_client.STDOUT else b""
                complete |= kind == fcgi_client.END_REQUEST
    return fcgi_client.parse(out, complete).status, complete


def test_the_log_has_printable_lines_only(stack):
    """Whatever the previous tests have sent."""
    direct(stack, "/\x1b[2J\n\r\x7f")
    assert re.search(r"[^\n\x20-\x7e]", stack.logs()) is None


# Nobody enlarges the cache

def traces(stack):
    """Without the answers of /status and /scenario/status, which are requested every 2 s, whoever visits."""
    keys = {key for key in stack.redis.keys() if not key.startswith((b"tft:status:", b"tft:scenario:"))}
    return keys, stack.upstream.predictions.count, len(stack.upstream.strays)


def assert_no_more(before, after):
    """Keys may expire meanwhile."""
    assert after[0] <= before[0], after[0] - before[0]
    assert after[1:] == before[1:]


def direct(stack, path, query="", user=""):
    """Connects to a worker, because nginx limits each client. On a busy machine Redis may miss the deadline of a request."""
    params = {"REQUEST_METHOD": "GET", "DOCUMENT_URI": path, "QUERY_STRING": query, "TFT_AE": ""}
    params.update(REMOTE_USER=user, TFT_END="1")

    def attempt():
        answer = fcgi_client.request(stack.hosts[0].dir / "fcgi.sock", params)
        return None if answer.status == 503 else answer

    return stack.wait(attempt, what=f"an answer to {path}")


def many(stack, requests):
    """The set of statuses; a few requests at a time."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return {answer.status for answer in pool.map(lambda request: direct(stack, *request), requests)}


def noise(rng):
    return "".join(rng.choices(string.ascii_letters + string.digits + "-._~%!$&'()*+,;=:@", k=rng.randrange(1, 60)))


def test_made_up_addresses_leave_no_trace(stack):
    """Random parameters, paths and 10,000 server names: no additional key and no additional call."""
    rng = random.Random(601)
    paths = [path for path in PAGES + API if "?" not in path]

    def flood():
        before = traces(stack)
        busting = many(stack, [(rng.choice(paths), f"x={noise(rng)}") for _ in range(500)])
        unknown = many(stack, [(f"/{noise(rng)}", noise(rng)) for _ in range(500)])
        servers = many(stack, [(f"/{rng.choice(['server', 'api/v1/servers'])}/srv{i}", "") for i in range(10000)])
        filters = many(stack, [("/heatmap", f"q=srv{i}") for i in range(500)])
        return before, traces(stack), (busting, unknown, servers, filters)

    before, after, statuses = steady(stack, flood)
    assert statuses == ({200}, {404}, {404}, {200})
    assert_no_more(before, after)


def test_made_up_addresses_through_nginx_leave_no_trace(stack):
    rng = random.Random(602)

    def flood():
        before = traces(stack)
        statuses = {stack.get(f"/?x={noise(rng)}").status_code for _ in range(100)}
        return before, traces(stack), statuses

    before, after, statuses = steady(stack, flood)
    assert statuses == {200}
    assert_no_more(before, after)
