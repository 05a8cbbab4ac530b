# SPDX-License-Identifier: MIT
"""Requests generated from openapi.json, in every state of the data: the document declares each answer, with its status, media type,
headers and members, and a request is never refused for a valid value.

    TFT_API_CASES=625 pytest tests/integration/test_t0175_generated_api.py        5,000 cases
"""
import collections
import gzip
import json
import os
import random
import string
import time
import urllib.parse

import fcgi_client
import jsonschema
import pytest
from stack import Stack, long_interval
from test_t0170_openapi import closed_document, resolve

CASES = int(os.environ.get("TFT_API_CASES", "60"))  # per state
SEED = int(os.environ.get("TFT_API_SEED", "24"))
STATES = ("healthy", "degrading", "critical", "escalated", "stale", "warming", "cold", "redis-down")
TIME = ("bucket", "at", "time", "from", "to", "since", "until", "start", "end", "range", "tz")
ACTIONS = ("refresh", "setScenario", "silence", "endSilence")
FORM = "application/x-www-form-urlencoded"
NAMES = ["ppml0001", "nobody", "", "..", "%", "é", "a/b", "x" * 300]


@pytest.fixture(scope="module")
def stack():
    with Stack(workers=1, interval=long_interval(), env={"TFT_ANONYMOUS": "operator"}) as running:
        running.wait_fleet()
        yield running


@pytest.fixture(scope="module")
def document(stack):
    """Closed: a member that is not described is an error."""
    return closed_document(stack)


# States

def load(stack, name):
    stack.upstream.predictions.load(name)
    stack.redis.flushdb()
    stack.wait_fleet()


def fails(stack):
    load(stack, "predictions_current-critical-20")
    stack.upstream.predictions.fail()
    stack.redis.hincrby("tft:cur:fleet", "bucket", -1)
    stack.wait(lambda: stack.get("/api/v1/fleet").json()["condition"] != "ok", what="a failure")


def warms_up(stack):
    stack.upstream.predictions.load("predictions_current-insufficient-20")
    stack.redis.flushdb()
    stack.wait(lambda: stack.get("/api/v1/fleet").json().get("condition") == "warming", what="warming up")


def has_nothing(stack):
    stack.upstream.predictions.fail()
    stack.redis.flushdb()
    stack.wait(lambda: stack.get("/api/v1/fleet").status_code == 503, what="no data")


ENTER = {
    "healthy": lambda stack: load(stack, "predictions_current-healthy-20"),
    "degrading": lambda stack: load(stack, "predictions_current-degrading-20"),
    "critical": lambda stack: load(stack, "predictions_current-critical-20"),
    "escalated": lambda stack: load(stack, "predictions_current-critical_escalated-20"),
    "stale": fails,
    "warming": warms_up,
    "cold": has_nothing,
    "redis-down": lambda stack: stack.stop_redis(),
}


# Requests

Case = collections.namedtuple("Case", "method path query headers body valid operation")


def valid_value(rng, schema):
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if schema.get("type") == "integer":
        return str(rng.randint(schema["minimum"], schema["maximum"]))
    if schema.get("type") == "number":
        return rng.choice(["{:.0f}", "{:.1f}", "{:.2f}"]).format(rng.choice([schema["minimum"], rng.uniform(schema["minimum"], min(schema["maximum"], 1e9))]))
    if "anyOf" in schema:
        return valid_value(rng, rng.choice(schema["anyOf"]))
    if schema.get("format") == "date-time":
        return rng.choice(["2026-11-28T06:11:00Z", "2999-01-01T00:00:00+01:00", "1795846260", "1795846260123", "2020-02-29 12:00", str(int(time.time()))])
    if "(" in schema["pattern"]:  # a list of words, with text before or after it
        word = rng.choice(schema["pattern"].split("(")[1].split(")")[0].split("|"))
        return rng.choice([word, "-" + word if "-?" in schema["pattern"] else word + "-up"])
    return "".join(rng.choice("aZ09-_. é€😀%&=+\"'<") for _ in range(rng.randint(1, schema["maxLength"])))


def invalid_value(rng, schema):
    if "maxLength" in schema:
        return rng.choice(["x" * (schema["maxLength"] + 1), "😀" * (schema["maxLength"] + 1), "a\x00", "\u202eb", b"\xff", b"\xe2\x82"])
    odd = ["nonsense", "-1", "0x10", "1,5", " ", "😀", "x" * 300, "5.", ".5", "+7", "NaN", "null"]
    if "multipleOf" in schema:
        odd += ["60.125", "6e1", str(schema["maximum"] + 1), "60.00000000000000000"]
    return rng.choice(odd)


def make_query(rng, document, operation):
    pairs, valid = [], True
    for parameter in (resolve(document, p) for p in operation.get("parameters", [])):
        if parameter["in"] != "query" or rng.random() < 0.5:
            continue
        is_valid = rng.random() < 0.75
        valid &= is_valid
        pairs.append((parameter["name"], (valid_value if is_valid else invalid_value)(rng, parameter["schema"])))
        if rng.random() < 0.1:  # the first one counts
            pairs.append((parameter["name"], "anything"))
    named = {name for name, _ in pairs} | {resolve(document, p)["name"] for p in operation.get("parameters", [])}
    if rng.random() < 0.15:
        pairs.insert(0, (rng.choice(["x", "", "PAGE", "utm_source"]), "".join(rng.choices(string.printable, k=5))))
    is_page = "503" in operation["responses"] and operation["operationId"] not in (*ACTIONS, "getReadiness")
    if rng.random() < 0.05 and is_page and (other := rng.choice(TIME)) not in named:
        pairs.append((other, "1"))
        valid = False
    return urllib.parse.urlencode(pairs), valid


def make_case(rng, document):
    path, item = rng.choice(list(document["paths"].items()))
    (verb, operation), = item.items()
    query, valid = make_query(rng, document, operation)
    method = verb.upper() if rng.random() < 0.9 else rng.choice(["HEAD", "PUT", "DELETE", "OPTIONS", "POST" if verb == "get" else "GET"])
    headers = {"TFT_INM": rng.choice(["", "", "*", '"a"', 'W/"0123456789abcdef"', "nonsense"]), "TFT_AE": rng.choice(["gzip", "identity"])}
    body = None
    if method == "POST":
        body = rng.choice([b"", b"confirm=1", b"scenario=critical&confirm=1", b"scenario=nothing&confirm=1", b"\xff\x00", b"x" * 5000])
        headers["CONTENT_TYPE"] = rng.choice([FORM, FORM, FORM + "; charset=utf-8", "application/json", ""])
        headers["TFT_SFS"] = rng.choice(["same-origin", "same-origin", "cross-site", ""])
    name = rng.choice(NAMES)
    if rng.random() < 0.02:
        query += "&y=" + "z" * 2100
    return Case(method, path.replace("{name}", name), query, headers, body, valid, operation)


# Answers

def send_direct(stack, case):
    params = {"REQUEST_METHOD": case.method, "DOCUMENT_URI": case.path, "QUERY_STRING": case.query, "REMOTE_ADDR": "127.0.0.1", **case.headers}
    if case.body is not None:
        params["CONTENT_LENGTH"] = str(len(case.body)) if case.body or case.headers["TFT_AE"] == "gzip" else ""
    params["TFT_END"] = "1"
    answer = fcgi_client.request(stack.hosts[0].dir / "fcgi.sock", params, case.body or b"")
    assert answer.complete
    return answer.status, answer.headers, answer.body


def send_through_nginx(stack, case):
    names = {"TFT_INM": "If-None-Match", "TFT_AE": "Accept-Encoding", "CONTENT_TYPE": "Content-Type", "TFT_SFS": "Sec-Fetch-Site"}
    headers = {names[name]: value for name, value in case.headers.items() if value}
    url = urllib.parse.quote(case.path) + ("?" + case.query if case.query else "")
    answer = stack.request(case.method, url, data=case.body, headers=headers)
    return answer.status_code, answer.headers, answer.content


class Judge:
    """What the document says about an answer; validators are made only once."""

    def __init__(self, document):
        self.document, self.validators = document, {}

    def validate(self, schema, value):
        key = id(schema)
        if key not in self.validators:
            whole = {**schema, "components": self.document["components"]}
            self.validators[key] = jsonschema.Draft202012Validator(whole), schema
        error = next(self.validators[key][0].iter_errors(value), None)
        return f"{error.json_path}: {error.message[-200:]}" if error else None

    def check_headers(self, response, headers):
        for name, header in response.get("headers", {}).items():
            header = resolve(self.document, header)
            text = headers.get(name) or headers.get(name.lower())
            if text is None:
                assert not header.get("required"), f"no {name}"
                continue
            value = int(text) if header["schema"]["type"] == "integer" else text
            assert not (error := self.validate(header["schema"], value)), f"{name}: {error}"

    def check(self, case, status, headers, body):
        assert str(status) in case.operation["responses"], f"{status} is not declared"
        response = resolve(self.document, case.operation["responses"][str(status)])
        self.check_headers(response, headers)
        if case.method == "HEAD" or status in (302, 303, 304):
            assert not body
            return
        kind = headers.get("content-type").removesuffix("; charset=utf-8")
        assert kind in response["content"], f"{status} as {kind}"
        if kind == "text/html":
            assert case.operation["operationId"] in ACTIONS, "a page to a program"
            return
        if headers.get("content-encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        value = json.loads(body)
        assert not (error := self.validate(response["content"][kind]["schema"], value)), error
        assert status < 400 or "status" not in value or value["status"] in (status, "fail")

    def check_verdict(self, case, status):
        if case.method not in ("GET", "HEAD") or case.operation["operationId"] in ACTIONS:
            return
        if len(case.query) <= 2048 and status not in (404, 414, 429, 503):
            assert (status == 400) == (not case.valid), "a valid request was refused, or an invalid one was not"


@pytest.mark.parametrize("state", STATES)
def test_every_answer_is_a_declared_one(stack, document, state):
    rng = random.Random(f"{SEED} {state}")
    stack.upstream.predictions.reset_controls()
    stack.redis.delete("tft:budget:fleet", "tft:brk:fleet") if state != "redis-down" else None
    ENTER[state](stack)
    judge, statuses = Judge(document), collections.Counter()
    for number in range(CASES):
        case = make_case(rng, document)
        status, headers, body = (send_through_nginx if number % 8 == 0 else send_direct)(stack, case)
        try:
            judge.check(case, status, headers, body)
            judge.check_verdict(case, status)
        except AssertionError as error:
            raise AssertionError(f"case {number}, {case._replace(operation='')}: {status} {body[:300]}: {error}") from None
        statuses[status] += 1
    print(state, dict(statuses))
    assert len(statuses) > 3


def test_the_examples_are_what_they_are_examples_of(document):
    judge, count = Judge(document), 0
    for name, response in document["components"]["responses"].items():
        for media in response.get("content", {}).values():
            if "example" in media:
                assert not (error := judge.validate(media["schema"], media["example"])), f"{name}: {error}"
                count += 1
    for name, header in document["components"]["headers"].items():
        assert not judge.validate(header["schema"], header["example"]), name
    assert count > 20
