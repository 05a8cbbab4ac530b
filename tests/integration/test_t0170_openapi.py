# SPDX-License-Identifier: MIT
"""/api/v1/openapi.json describes what the program does: no route is missing, every answer has exactly the described
members."""
import datetime
import re
from urllib.parse import urljoin

import jsonschema
import pytest
from patient import PatientStack
from stack import ROOT, long_interval

PATH = "/api/v1/openapi.json"
USER = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def stack():
    with PatientStack(workers=2, interval=long_interval(), l1=False, env={"TFT_ANONYMOUS": "operator"}) as running:
        running.upstream.predictions.load("predictions_current-critical-20")
        running.wait_fleet()
        yield running


@pytest.fixture(scope="module")
def document(stack):
    answer = stack.get(PATH)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    return answer.json()


def resolve(document, node):
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def close(schema, used=True):
    """Forbids members that are not described. A part of an allOf, or the target of a $ref, is closed where it is used."""
    if used and {"properties", "$ref", "allOf"} & schema.keys():
        schema["unevaluatedProperties"] = False
    for inner in [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]:
        close(inner)
    for key in ("items", "additionalProperties"):
        if key in schema:
            close(schema[key])
    for part in schema.get("allOf", []):
        close(part, used=False)


def closed_document(stack):
    """The document with all its schemas closed."""
    document = stack.get(PATH).json()
    for schema in document["components"]["schemas"].values():
        close(schema, used=False)
    for response in document["components"]["responses"].values():
        for media in response.get("content", {}).values():
            close(media["schema"])
    return document


@pytest.fixture(scope="module")
def closed(stack):
    return closed_document(stack)


def check(closed, answer, path, method="get"):
    """The answer is one that the document describes for this path."""
    operation = closed["paths"][path][method]
    assert str(answer.status_code) in operation["responses"], f"{path} answers {answer.status_code}"
    content = resolve(closed, operation["responses"][str(answer.status_code)]).get("content", {})
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html"):  # what a browser sees of an action
        return None
    assert kind in content, f"{path} answers {answer.status_code} as {kind}"
    schema = {**content[kind]["schema"], "components": closed["components"]}
    error = next(jsonschema.Draft202012Validator(schema).iter_errors(answer.json()), None)
    while error and error.context:  # the first of several schemas is the one with data
        error = error.context[0]
    assert not error, f"{path}: {error.json_path}: {error.message[-300:]}"
    return answer.json()


def gets(document):
    return [path for path, item in document["paths"].items() if "get" in item]


def parameters(document, path):
    return [resolve(document, p) for p in document["paths"][path]["get"].get("parameters", [])]


def with_name(stack, path):
    return path.replace("{name}", stack.wait_fleet()["servers"][0]["name"])


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


def test_every_schema_is_one(document):
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    assert document["openapi"] == "3.1.0"


def test_every_reference_leads_somewhere_and_everything_is_used(stack, document):
    used = {re.sub("^#/components/", "", ref) for ref in re.findall(r'"\$ref": "([^"]+)"', stack.get(PATH).text)}
    defined = {f"{kind}/{name}" for kind, items in document["components"].items() for name in items}
    assert used == defined


def test_every_route_of_the_binary_is_described(document):
    pages = re.findall(r'\.path = "(/api/[^"]*)"', (ROOT / "src" / "pages" / "address.c").read_text())
    others = re.findall(r'\{"(/[^"]+)", ROUTE_', (ROOT / "src" / "server" / "route.c").read_text())
    assert len(pages) >= 9 and len(others) >= 6
    routes = {path + "{name}" if path.endswith("/") else path for path in pages + others}
    assert set(document["paths"]) == routes - {"/metrics", "/metrics/fleet"}, "these speak Prometheus"


def test_described_paths_lead_back_from_the_document(stack, document):
    base = urljoin(stack.url(PATH), document["servers"][0]["url"]).rstrip("/")
    assert base == stack.url("")


def test_every_get_answers_as_described(stack, document, closed):
    for path in gets(document):
        answer = stack.get(with_name(stack, path))
        assert answer.status_code == 200, path
        check(closed, answer, path)


def test_recorded_fleets_answer_as_described(stack, document, closed):
    """Members may be null, but never missing or of another type."""
    for payload in ("predictions_current-healthy-20", "predictions_current-short_history-20", "predictions_current-critical-90"):
        stack.upstream.predictions.load(payload)
        stack.redis.flushdb()
        stack.wait_fleet()
        for path in gets(document):
            check(closed, stack.get(with_name(stack, path)), path)
    stack.upstream.predictions.load("predictions_current-critical-20")
    stack.redis.flushdb()
    stack.wait_fleet()


def valid(schema):
    """Values that a parameter must accept: all of a short list, or both ends of a range."""
    if "anyOf" in schema:
        return valid(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"]
    if "maxLength" in schema:
        return ["p", "x" * schema["maxLength"], "\u20ac" * schema["maxLength"]]
    if "pattern" in schema:
        words = re.search(r"\(([^)]+)\)", schema["pattern"])[1].split("|")
        return words + ([f"-{word}" for word in words] if "-?" in schema["pattern"] else [f"{w}-up" for w in words])
    return [schema["minimum"], int(schema["maximum"])]


def invalid(schema):
    if "minimum" in schema:
        return [schema["minimum"] - 1, int(schema["maximum"]) + 1, "many"]
    return ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else ["nonsense"]


def test_parameters_take_the_described_values_and_no_others(stack, document, closed):
    for path in gets(document):
        for parameter in parameters(document, path):
            if parameter["in"] != "query" or parameter["name"] == "at":
                continue
            for value in valid(parameter["schema"]):
                answer = stack.get(path, params={parameter["name"]: value})
                assert answer.status_code == 200, (path, parameter["name"], value)
                check(closed, answer, path)
            for value in invalid(parameter["schema"]):
                answer = stack.get(path, params={parameter["name"]: value})
                assert answer.status_code == 400, (path, parameter["name"], value)
                assert check(closed, answer, path)["valid_values"]


def test_defaults_are_the_described_ones(stack, document):
    for path in gets(document):
        for parameter in parameters(document, path):
            if "default" in parameter["schema"]:
                given = stack.get(path, params={parameter["name"]: parameter["schema"]["default"]})
                assert given.content == stack.get(path).content, (path, parameter["name"])


def test_a_moment_answers_as_described(stack, document, closed):
    early = 1577836800 - 1577836800 % stack.interval  # a moment is the start of a bucket
    early = datetime.datetime.fromtimestamp(early, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    kept = int(stack.redis.xrevrange("tfthist:full", count=1)[0][0].split(b"-")[0])
    for path in gets(document):
        if "at" not in [parameter["name"] for parameter in parameters(document, path)]:
            continue
        real = with_name(stack, path)
        assert stack.get(real, params={"at": kept}).status_code == 302
        then = check(closed, stack.get(real + stack.get(real, params={"at": kept}).headers["location"]), path)
        assert then["condition"] == "past"
        gone = stack.get(f"{real}?at={early}")
        assert gone.status_code == 404 and check(closed, gone, path)["after"] == then["at"]
        assert check(closed, stack.get(real, params={"at": "yesterday"}), path)["parameter"] == "at"


def test_unknown_server_answers_as_described(stack, closed):
    answer = stack.get("/api/v1/servers/nobody")
    assert answer.status_code == 404
    check(closed, answer, "/api/v1/servers/{name}")


def test_answers_without_data_are_as_described(stack_factory, document, closed):
    stack = stack_factory(workers=1)
    stack.upstream.unlisten()
    stack.redis.flushdb()
    stack.wait(lambda: stack.get("/readyz").status_code == 503, what="nothing to show")
    for path in gets(document):
        answer = stack.get(path.replace("{name}", "ppml0001"))
        body = check(closed, answer, path)
        if "503" in document["paths"][path]["get"]["responses"]:
            assert answer.status_code == 503, path
            assert path == "/readyz" or body["condition"] != "ok"
        else:
            assert answer.status_code == 200, path


def test_actions_answer_as_described(stack, closed):
    def post(path, data=None, headers=USER, **query):
        answer = stack.post(path, data=data or {"confirm": "1"}, headers=headers, params=query)
        check(closed, answer, path, "post")
        return answer.status_code

    assert post("/refresh", format="json") == 200
    assert post("/refresh", format="json") == 429
    assert post("/scenario", {"scenario": "degrading", "confirm": "1"}, format="json") == 200
    assert post("/scenario", {"scenario": "critical", "confirm": "1"}) == 303
    assert post("/scenario", {"scenario": "nonsense", "confirm": "1"}, format="json") == 400
    assert post("/silence", {"server": "x", "hours": "1", "comment": "x"}, format="json") == 404
    assert post("/silence-end", {"id": "x"}, format="json") == 404
    for path in ("/refresh", "/scenario", "/silence", "/silence-end"):
        assert post(path, headers={"Sec-Fetch-Site": "cross-site"}, format="json") == 403
        assert post(path, b"{}", {**USER, "Content-Type": "application/json"}, format="json") == 415
    stack.upstream.scenario_status.fail()
    stack.redis.flushdb()
    assert post("/scenario", {"scenario": "healthy", "confirm": "1"}, format="json") == 502


def test_api_and_overview_tell_where_the_description_is(stack, document):
    for path in ["/", *(p for p in gets(document) if p.startswith("/api/") and p != PATH)]:
        answer = stack.get(with_name(stack, path))
        reference = re.fullmatch(r'<([^>]+)>; rel="service-desc"', answer.headers["link"])[1]
        assert urljoin(answer.url, reference) == stack.url(PATH), path
    assert "link" not in stack.get("/heatmap").headers


def test_description_needs_neither_redis_nor_data(stack_factory):
    stack = stack_factory(workers=1, redis=False)
    answer = stack.get(PATH)
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
    again = stack.get(PATH, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
