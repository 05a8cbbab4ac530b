#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes first inputs for all fuzz targets into a directory: seeds.py DIRECTORY. TFT_BUILD names a build as for the tests.

Redis' answers come from a real worker and a real Redis, so they always have the current formats.
"""
import json
import pathlib
import re
import struct
import sys
import zlib

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "integration"))

import fcgi_client  # noqa: E402
from proxy import ProxiedStack  # noqa: E402
from upstream import PAYLOADS, Upstream, payload_bytes  # noqa: E402

NAMES = ["ppml0001", "<fz a=\" fz=\"'&", "=ppdb,\"x\""]  # the second is one of stored.c
METRICS = ["cpu_user_pct", "cpu_sys_pct", "cpu_iowait_pct", "cpu_idle_pct", "mem_used_pct", "swap_used_pct", "load_average"]
SNAPSHOT, SERIES, HISTORY, RISKS, SERVE, INCIDENTS, MOMENT, HORIZONS = range(8)  # kinds of stored.c, the first four those of entry.c
ENTRY = {MOMENT: 4, HORIZONS: 5, INCIDENTS: 6}  # the others there
QUERIES = ["", "sev=watch-up&sort=-cpu30&page=2", "q=%3CA%ff%zz+b", "metric=memory&group=profile&sort=value", "n=20&n=3",
           "metric=fleet_health&range=7d", "tabs=top,docs&every=10&view=kiosk&refresh=1", "format=csv", "page=0",
           "cost_per_hour=0.07&avg_hours=12.50&prevention_pct=50&project_cost=1", "notice=refreshed&format=json"]


def fleet(names=NAMES, metrics=METRICS, steps=8):
    """A small predictions answer; recorded ones are a thousand times as large."""
    def metric(level):
        return {"p50": [level] * steps, "p10": [level / 2] * steps, "p90": [level + i for i in range(steps)],
                "current": level, "trend": 0.5}

    servers = {name: {m: metric(20.0 + 30 * i + j) for j, m in enumerate(metrics)} for i, name in enumerate(names)}
    return {"predictions": servers, "alerts": [], "environment": {"prob_30m": 0.25, "incident_probability_8h": 1},
            "metadata": {"model_type": "TFT", "model_dir": "x", "prediction_time": "2025-11-23T13:00:59"}}


class Seeds:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def write(self, target, *pieces):
        folder = self.root / target
        folder.mkdir(parents=True, exist_ok=True)
        name = f"seed-{len(list(folder.iterdir())):03d}"
        (folder / name).write_bytes(b"".join(bytes([p]) if isinstance(p, int) else p for p in pieces))


def write_decode(seeds):
    one = fleet(NAMES[:1], METRICS[:1], 2)
    texts = [json.dumps(fleet()), json.dumps(fleet(NAMES[1:2], METRICS[3:5], 3)), json.dumps(one, indent=1)]
    texts += ['{"predictions":{"a":{"load_average":{"current":1e400,"p50":[1,-2e3,0.5]}},"a":{}},"error":null}']
    texts += ['{"predictions":{"\\u00e9\\ud83d\\ude00":{"cpu_idle_pct":{"current":NaN}},"b":[],"c":{"x":{"y":[{}]}}}}']
    texts += [payload_bytes(f"predictions_current-{name}").decode() for name in
              ("insufficient-20", "insufficient_empty-20", "no_key-0", "rate_limited-0")]
    for i, text in enumerate(texts):
        for seed in (0, 7 + i):
            seeds.write("decode", seed, text.encode())


def write_answers(seeds):
    for path in sorted(PAYLOADS.glob("*")):
        if re.match(r"(status|scenario_status|generator_status|health)-.*-20\.json$", path.name):
            seeds.write("answers", path.read_bytes())
    seeds.write("answers", b'{"scenario":"a","total_affected":9223372036854775808,"fleet_size":-1}')


def write_told(seeds):
    """Of a fleet called f: silences, alerts, status."""
    def at(hour):
        return f"2025-11-24T{hour}:00:00.000Z"

    plain = {"isRegex": False, "isEqual": True}
    silences = [
        {"id": f"0a-{i}", "createdBy": "ann", "comment": "disk \u20ac", "startsAt": at(15), "endsAt": at(17), "matchers": matchers, "status": {"state": "active"}}
        for i, matchers in enumerate([
            [{"name": "fleet", "value": "f", **plain}, {"name": "server", "value": "a\"b", **plain}],
            [{"name": "server", "value": "x.*", "isRegex": True}],
        ])
    ]
    labels = {"alertname": "TftServerRisk", "fleet": "f", "profile": "db", "server": "x", "severity": "danger"}
    status = {"state": "suppressed", "silencedBy": ["0a-1"], "inhibitedBy": [], "mutedBy": ["night"]}
    alerts = [{"labels": labels, "receivers": [{"name": "a"}, {"name": "b"}], "startsAt": at(15), "status": status}]
    about = {"cluster": {"status": "ready", "peers": [{}]}, "versionInfo": {"version": "0.28.0"}}
    for parts in ((silences, alerts, about), ([], alerts, about), (silences, [], about), ([], [], about)):
        seeds.write("told", b"\0".join(json.dumps(part).encode() for part in parts))
    seeds.write("told", b"TFTr\1" + bytes(6) + b"\x01a\x01b" + bytes(14))


def write_request(seeds):
    form = "application/x-www-form-urlencoded"
    paths = ["/", "/heatmap", "/top", "/history", "/cost", "/advanced", "/server/a%2f<b>", "/api/v1/fleet", "/api/x", "/a/b/c"]

    def write(path="/", query="", method="GET", length="", kind="", inm="", origin="", site="", peer="127.0.0.1", user="",
              accept="gzip", rid="0123456789abcdef0123456789abcdef", end="1", l1="1", host="dash.example", body=b""):
        values = (path, query, method, length, kind, inm, origin, site, peer, user, accept, rid, end, l1, host)
        seeds.write("request", b"".join(v.encode() + b"\0" for v in values), body)

    for path in paths:
        write(path)
    for query in QUERIES:
        for path in ("/", "/heatmap", "/history", "/cost"):
            write(path, query)
    write(method="HEAD", inm='W/"0123", "a,b" , *')
    write(method="FOO", rid="a\r\nb: c", accept="identity")
    write(end="")
    for host in ("", "\1", "evil.example", "[::1]", "192.0.2.7", "x" * 300):
        write(host=host, l1="")
    write(path="\1", query="\1", end="1")
    for site, origin, peer in (("same-origin", "", ""), ("", "http://a", ""), ("", "", "::1"), ("cross-site", "null", "")):
        write("/scenario", "", "POST", "27", form + "; charset=x", "", origin, site, peer, "me", body=b"scenario=critical&confirm=1")
    write("/refresh", "", "POST", "4097", form, body=b"x" * 10)


def write_settings(seeds):
    text = (TESTS.parent / "src" / "tft-dashboard.conf").read_text()
    live = re.sub(r"(?m)^#(?=[a-z_]+ = )", "", text)
    live = re.sub(r"(?m)^[a-z_]+ =[ \t]*\n", "", live)
    short = re.sub(r"(?m)^#.*\n|^\n", "", live)
    for part in (short, re.sub(r"(?m)^#.*\n|^\n", "", text)) + tuple(re.split(r"\n(?=\[)", short)):
        seeds.write("settings", part.encode())
    seeds.write("settings", b"[redis]\naddress = unix:/run/redis.sock ; near\npassword=secret\n[auth]\noperators = a, b\n")
    seeds.write("settings", b"[cache]\ninterval = 999999999h\n interval = 5\n[upstream]\ndaemon_url=HTTP://[::1]:8000//\n")
    seeds.write("settings", b"[upstream]\napi_key_file=/dev/null\n[server]\nnode=a b\nx")


class Recorder:
    """What Redis answers during one request, with marks in place of checksums (fake_store.c)."""

    def __init__(self, stack):
        self.stack = stack
        self.bytes = b""
        send = stack.proxy.answer

        def answer(sink, data):
            self.bytes += data
            send(sink, data)

        stack.proxy.answer = answer
        stack.proxy.sever()

    def record(self, path, query=""):
        params = {"REQUEST_METHOD": "GET", "DOCUMENT_URI": path, "QUERY_STRING": query, "TFT_AE": "", "TFT_END": "1"}
        ask = lambda: fcgi_client.request(self.stack.hosts[0].dir / "fcgi.sock", params)  # noqa: E731
        ask()
        self.bytes = b""
        answer = ask()
        assert answer.complete, path
        # In an entry the checksum comes last; where the same digits are an etag or the snapshot's id, other text follows.
        return re.sub(rb"\$16\r\n[0-9a-f]{16}\r\n(?!\$)", b"$6\r\nrepair\r\n", self.bytes)


def paths_of_target():
    source = (TESTS / "fuzz" / "stored.c").read_text()
    table = source[source.index("*const paths[]"):]
    table = table[table.index("{"):table.index("};")]
    return [json.loads(text) for text in re.findall(r'"(?:\\.|[^"\\])*"', table)]


def write_stored(seeds):
    upstream = Upstream()
    upstream.predictions.body = json.dumps(fleet()).encode()
    with upstream, ProxiedStack(workers=1, interval=300, l1=False, upstream=upstream) as stack:
        assert len(stack.wait_fleet()["servers"]) == len(NAMES)
        redis = stack.redis
        bucket = redis.hget("tft:cur:fleet", "bucket").decode()
        compact = redis.hget(f"tft:fleet:{bucket}", "body")
        series = redis.hget(f"tft:series:{bucket}", NAMES[0])
        pages = len(re.findall(r"\.name = ", (TESTS.parent / "src" / "pages" / "address.c").read_text()))
        for page in range(pages):
            seeds.write("stored", SNAPSHOT, page, 16 + page, compact)
        seeds.write("entry", SNAPSHOT, compact)
        for page in range(5):
            seeds.write("stored", SERIES, page, series)
        seeds.write("entry", SERIES, series)
        for choice, query in enumerate(["", "view=kiosk"]):
            for number, path in enumerate(paths_of_target()):
                replies = Recorder(stack).record(path, query)
                seeds.write("stored", SERVE, number, choice, replies)
                seeds.write("replies", number, replies)
        entry = redis.xrange("tfthist:fleet")[-1][1]
        record = next(iter(entry.values()))
        for choice in range(15):
            lines = [b"\x01" + record, b"\x02" + record, b"\x09" + record.replace(b"0.25", b"1"), b"\x01" + b"1 - - 0 0 0 0 0 0 0 - - - -"]
            for target in ("stored", "entry"):
                seeds.write(target, HISTORY, choice, b"\n".join(lines))
        risks = redis.xrange("tfthist:risk")[-1][1]
        names, values = (risks.get(name, b"") for name in (b"n", b"r"))
        for choice in range(2):
            for target in ("stored", "entry"):
                seeds.write(target, RISKS, choice, b"\n".join([names, values, values]))
        write_past(seeds, redis)


def unsealed(record, ids):
    """As records.c takes it: the packed part as it was before packing, then the columns. ids: bytes before the part."""
    at = 13 + ids
    length, packed = (int.from_bytes(record[i : i + 3], "little") for i in (at, at + 3))
    part = zlib.decompress(record[at + 6 : at + 6 + packed], -15)
    assert len(part) == length < 0x4000
    return struct.pack(">H", 0x8000 | length) + part + record[at + 6 + packed :]


def write_past(seeds, redis):
    moment = unsealed(redis.xrange("tfthist:thin")[-1][1][b"t"], 4)
    beside = bytes([moment[0] | 0x40]) + moment[1:]
    forecasts = redis.xrange("tfthist:forecasts")[-1][1][b"f"]
    lines = [
        b"1 s 1763899230000 30000 0 0 0 950 5 0 ppml0001\n1 e 1763898300000 900000 0 0 4 800 1 7 ppml0001",
        b"1 s 1763898300000 60000 30000 90000 2 700 8 0 %3cfz%20a%3d%22%20fz%3d%22%27%26\n1 s 1763898300000 0 0 30000 0 1000 0 0 %0a%ff%00",
        b"1 e 0 0 0 1 3 0 8 20000 \nnonsense\n\n1 s 1763899260000 0 0 0 0 1 0 0 a",
    ]
    for kind, records in ((MOMENT, [moment, beside]), (HORIZONS, [unsealed(forecasts, 0)]), (INCIDENTS, lines)):
        for choice, record in enumerate(records * (9 // len(records))):
            seeds.write("stored", kind, choice, record)
        for record in records:
            seeds.write("entry", ENTRY[kind], *([0xFC] if kind == INCIDENTS else []), record)


def main():
    seeds = Seeds(sys.argv[1])
    write_decode(seeds)
    write_answers(seeds)
    write_told(seeds)
    write_request(seeds)
    write_settings(seeds)
    write_stored(seeds)


if __name__ == "__main__":
    main()
