# SPDX-License-Identifier: MIT
"""Records what happens to a Stack, for tests/check/checker.py to decide whether it is allowed.

    with Recorder(stack, tmp_path) as record:
        with Load(stack, note=record.answer):
            with record.fault("death"):
                ...kill a worker...
    assert record.violations() == []

Flushes, deletions, claims and commits are read from Redis MONITOR, whoever makes them: the workers, a POST, redis-cli.
A test reports what MONITOR cannot see (deaths, outages, a failing upstream) with fault().
"""
import calendar
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import redis as redis_client
from stack import wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "check"))

import checker  # noqa: E402

# The pages that depend only on the snapshot: no forecasts and no history, which have their own keys.
CONSTANT = re.compile(r"(?:/|/heatmap|/remediation|/alerting|/docs|/roadmap|/api/v1/(?:fleet|alerts|heatmap))(?:\?.*)?$")
STATE = re.compile(rb'<div id="state" data-state="([a-z-]+)".*?</div><main', re.S)
# What the generator plays may be newer than the snapshot, and has its own time then.
ACTUAL = re.compile(rb'<section class="panel" id="comparison">.*?</section>', re.S)
# What changed, and how good the forecasts were, are read from the history, which may be lost; forecasts have their own key.
PAST = re.compile(
    rb'<section class="panel" id="changes">.*?</section>|<span id="trend">.*?</span>| <a id="forecasts".*?</a>|'
    rb'<p class="note" id="trust">.*?</p>| <small title="[^"]*, last day">.*?</small>|'
    rb'<svg class="outlook".*?</svg>|"sentence":"(?:[^"\\\\]|\\\\.)*"', re.S)
# These follow the age of the data.
ICON = re.compile(rb'<link rel="icon"[^>]*>')
TITLE = re.compile(rb"<title>.*?</title>")
CHIP = re.compile(rb'<span class="chip sev-[a-z]+">[^<]*</span>(?: <small>\d+ of \d+</small>)?|<b id="as-of">.*?</b> ')
CONDITION = re.compile(rb'"condition":"[^"]*","detail":(?:null|"[^"]*")')
GEN = re.compile(rb' data-gen-ms="(\d+)"')
GENERATED = re.compile(rb'"generated_at":"([0-9T:-]+)\.(\d{3})Z"')
FRESH = ("live",)

# The relevant lines of MONITOR: those that are not reads of the workers are few.
WANTED = r'"(SET|DEL|HSET|XADD|set|del|hset)" "(tft:(lock|cur|epoch|gate):?[a-z]*|tfthist:fleet)"|"(UNLINK|unlink|FLUSHDB|FLUSHALL|ECHO)"|^OK'
LINE = re.compile(r'([0-9.]+) \[\d+ (\S+)\] "(\w+)" ?(.*)')
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')
POINTER = {"tft:cur:fleet", "tft:epoch:fleet", "tft:lock:fleet", "tft:brk:fleet"}
END = "end-of-the-record"

SAMPLE = """
local sample = {}
for _, key in ipairs(redis.call('KEYS', 'tft*')) do
    sample[#sample + 1] = {key, redis.call('PTTL', key)}
end
return sample
"""


def generated_ms(seen):
    """When the data of a document were requested; None if it does not say."""
    if found := GEN.search(seen.body):
        return int(found[1])
    if found := GENERATED.search(seen.body, 0, 500):
        return calendar.timegm(time.strptime(found[1].decode(), "%Y-%m-%dT%H:%M:%S")) * 1000 + int(found[2])
    return None


def marks(seen):
    """A page names its state; anything else has it in its headers."""
    state = STATE.search(seen.body)
    stale = state[1].decode() not in FRESH if state else "detail=" in seen.cache or seen.cache.startswith("tft-local")
    return (["stale"] if stale else []) + (["do-not-act"] if b"Do not act" in seen.body else [])


def content(seen):
    """The digest of a document without its state."""
    if not CONSTANT.match(seen.path):
        return None
    body = seen.body
    for varies in (ICON, TITLE, CHIP, STATE, ACTUAL, CONDITION, PAST):
        body = varies.sub(b"", body)
    return hashlib.sha1(body).hexdigest()[:16]


def describe(seen):
    """The line for answers.jsonl, without the state of Redis."""
    answer = {
        "start": seen.began, "end": seen.ended, "path": seen.path, "method": seen.method, "status": seen.status,
        "node": seen.headers.get("x-tft-node"), "length": len(seen.body), "says": [], "cache": None, "worker_ms": seen.worker_ms,
        "announced": int(seen.headers["content-length"]) if "content-length" in seen.headers else None,
    }  # fmt: skip
    gen_ms = generated_ms(seen) if seen.status == 200 and "x-tft-bucket" in seen.headers else None
    if gen_ms is not None:
        answer.update(gen_ms=gen_ms, bucket=int(seen.headers["x-tft-bucket"]), content=content(seen), says=marks(seen))
        answer["cache"] = "local" if seen.cache.startswith("tft-local") else "redis"
    return answer


class Monitor:
    """The output of MONITOR, on a new connection if one ends, filtered into a file by programs that are faster than we
    are."""

    def __init__(self, redis, socket, path):
        self.redis = redis
        self.path = path
        # $$ is the shell, which ends with us; the parts of the pipeline do not.
        follow = f"while kill -0 $$ 2>/dev/null; do redis-cli -s {socket} monitor 2>/dev/null; sleep 0.02; done"
        keep = f"LC_ALL=C grep -a --line-buffered -E '{WANTED}' | stdbuf -oL cut -b-16000 >{path}"
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "sh", "-c", f"({follow}) | {keep}"], start_new_session=True)
        self.wait_for("OK")

    def wait_for(self, text):
        wait_until(lambda: self.path.exists() and text in self.path.read_text(errors="replace"), 10, f"{text} of MONITOR")

    def close(self):
        with contextlib.suppress(redis_client.ConnectionError, redis_client.TimeoutError):
            self.redis.echo(END)
            self.wait_for(END)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def events(self):
        """(wall clock, from a script, command, words) of each line."""
        for line in self.path.read_text(errors="replace").splitlines():
            if found := LINE.match(line):
                yield float(found[1]), found[2] == "lua", found[3].upper(), WORD.findall(found[4])


class Recorder:
    """settings: as in scenario.json, if the defaults do not fit."""

    def __init__(self, stack, directory, **settings):
        self.stack = stack
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "interval": stack.interval, "fetch": 3, "lease": 17, "l1": stack.l1, "routes": 0, "budget": 26, "max_stale": 3600,
            "act_limit": 600, "slow_ms": 300, "hung_ms": 600, "healthy": True, "wall": time.time() - time.monotonic(),
            "workers": None if stack.direct else [stack.worker_count] * stack.host_count, **settings,
        }  # fmt: skip
        self.faults = []
        self.samples = []
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)

    def __enter__(self):
        self.answers = open(self.directory / "answers.tmp", "w")  # noqa: SIM115
        self.monitor = Monitor(self.stack.redis, self.stack.redis_socket, self.directory / "monitor.log")
        # In this order, or a refresh could be missed. One that is under way was claimed before.
        lock = self.stack.redis.get("tft:lock:fleet")
        self.open = int(lock.split(b"|")[1]) if lock else None
        self.called = self.stack.upstream.predictions.count
        self.newest = self.newest_id("tfthist:fleet")
        thin = int(self.newest_id("tfthist:thin").split("-")[0])
        self.settings["first_window"] = thin // checker.WINDOW_MS + 1 if thin else 0
        self.sampler.start()
        return self

    def __exit__(self, *exc):
        self.ended = time.monotonic()
        self.stop.set()
        self.sampler.join()
        self.answers.close()
        self.monitor.close()
        self.write()

    def violations(self):
        return checker.violations(checker.load(self.directory))

    def summary(self):
        """How much was recorded."""
        log = checker.load(self.directory)
        kinds = Counter(fault["kind"] for fault in log.faults)
        return f"{len(log.answers)} answers, {len(log.calls)} calls, {len(log.commits)} commits, " + ", ".join(
            f"{count} {kind}" for kind, count in sorted(kinds.items())
        )

    # During the test

    def answer(self, seen):
        line = json.dumps(describe(seen))
        with self.lock:
            self.answers.write(line + "\n")

    def ask(self, asking, *args, **kw):
        """asking: a function that returns a Seen or a list of them; ask returns the same."""
        seen = asking(self.stack, *args, **kw)
        for one in seen if isinstance(seen, list) else [seen]:
            self.answer(one)
        return seen

    @contextlib.contextmanager
    def fault(self, kind):
        """The fault lasts as long as the block."""
        fault = {"t": time.monotonic(), "until": float("inf"), "kind": kind}
        self.faults.append(fault)
        try:
            yield
        finally:
            fault["until"] = time.monotonic()

    def sample(self):
        """Once a second."""
        client = redis_client.Redis(unix_socket_path=str(self.stack.redis_socket), socket_timeout=1)
        while not self.stop.wait(1):
            try:
                keys = {key.decode(): ttl for key, ttl in client.eval(SAMPLE, 0)}
            except redis_client.RedisError:
                continue
            workers = [len(self.stack.worker_pids(host)) for host in range(self.stack.host_count)]
            self.samples.append({"t": time.monotonic(), "keys": keys, "workers": workers})

    # After the test

    def write(self):
        claims, commits = self.read_monitor()
        for fault in self.faults:
            fault["until"] = min(fault["until"], self.ended)
        routes = {m[1] for sample in self.samples for key in sample["keys"] if (m := re.fullmatch(r"tft:([a-z0-9_-]+):\d+", key))}
        self.settings["routes"] = max(self.settings["routes"], len(routes))
        (self.directory / "scenario.json").write_text(json.dumps(self.settings))
        self.put("calls", self.claimed_calls(claims))
        self.put("faults", self.faults)
        self.put("samples", self.samples)
        self.put("commits", commits)
        committed = {commit["history_id"] for commit in commits}
        self.put("history", ({"id": entry} for entry in self.kept("fleet", committed)))
        streams = ("full", "thin", "forecasts")
        self.put("archive", ({"stream": stream, "id": entry} for stream in streams for entry in self.kept(stream, committed)))
        self.finish_answers()

    def put(self, name, items):
        (self.directory / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))

    def newest_id(self, stream):
        newest = self.stack.redis.xrevrange(stream, count=1)
        return newest[0][0].decode() if newest else "0-0"

    def kept(self, stream, committed):
        """Ids since the beginning of the recording. The last one before it may belong to a bucket that was committed again."""
        after = self.newest
        try:
            while entries := self.stack.redis.xrange(f"tfthist:{stream}", after, count=500):
                for entry in (key.decode() for key, _ in entries):
                    if entry != self.newest or entry in committed:
                        yield entry
                after = f"({entry}"
        except redis_client.ConnectionError:
            return

    def read_monitor(self):
        """Claims {"t", "until", "bucket"} and commits; flushes and deletions become faults."""
        claims, commits, gate = [], [], False
        if self.open is not None:
            claims.append({"t": float("-inf"), "until": float("inf"), "bucket": self.open})
        for wall, scripted, command, words in self.monitor.events():
            t = wall - self.settings["wall"]
            key = words[0] if words else ""
            if command == "SET" and key == "tft:lock:fleet" and scripted:
                claims.append({"t": t, "until": float("inf"), "bucket": int(words[1].split("|")[1])})
            elif command == "DEL" and key == "tft:lock:fleet" and scripted and claims:
                claims[-1]["until"] = t
            elif command == "HSET" and key == "tft:cur:fleet" and scripted and "bucket" in words:
                bucket = int(words[words.index("bucket") + 1])
                commits.append({"t": t, "bucket": bucket, "history_id": f"{bucket * self.settings['interval'] * 1000}-0"})
            elif kind := self.operation(scripted, command, words, gate):
                self.faults.append({"t": t, "until": t, "kind": kind})
            # flush.lua sets its gate first; claim.lua creates an epoch if there is none.
            gate = command == "SET" and key == "tft:gate:flush"
        return claims, commits

    @staticmethod
    def operation(scripted, command, words, gate):
        """What an operator did, if it concerns the fleet."""
        if command in ("FLUSHDB", "FLUSHALL"):
            return "emptied"
        if command in ("UNLINK", "DEL") and not scripted and POINTER & set(words):
            return "deletion"
        if command == "SET" and words[0] == "tft:epoch:fleet" and (gate or not scripted):
            return "flush"
        return None

    def claimed_calls(self, claims):
        """Each call with the bucket of its claim: the latest earlier claim that has neither had a call yet nor ended."""
        free = list(claims)
        for call in self.stack.upstream.predictions.calls[self.called :]:
            mine = [claim for claim in free if claim["t"] <= call.at <= claim["until"]]
            if mine:
                free.remove(mine[-1])
            yield {"start": call.at, "bucket": mine[-1]["bucket"] if mine else None, "address": "127.0.0.1"}

    def finish_answers(self):
        """Adds the state of Redis, which is known only now."""
        outages = [fault for fault in self.faults if fault["kind"] in checker.OUTAGES]
        source = self.directory / "answers.tmp"
        with open(source) as lines, open(self.directory / "answers.jsonl", "w") as out:
            for line in lines:
                answer = json.loads(line)
                # A worker takes Redis for down for about a second longer.
                kinds = {o["kind"] for o in outages if o["t"] <= answer["end"] and o["until"] + checker.TAIL_S >= answer["start"]}
                answer["redis"] = "hung" if "hung" in kinds else "down" if kinds else "ok"
                out.write(json.dumps(answer) + "\n")
        source.unlink()
