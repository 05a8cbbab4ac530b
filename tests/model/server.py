# SPDX-License-Identifier: MIT
"""A private redis-server whose clock the test sets, with the protocol's scripts.

    with Server() as server:
        server.set_time(1_700_000_000_000_000)
        server.call("claim", keys, arguments)    # as the dashboard's Redis user
        server.dump()                            # all keys, as lines that the model can predict
"""
import hashlib
import mmap
import os
import pathlib
import secrets
import shutil
import struct
import subprocess
import tempfile
import time

import redis

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "redis"
SERVER = os.environ.get("TFT_TEST_REDIS_SERVER", "redis-server")  # as in tests/integration/stack.py
NAMES = ("claim", "extend", "stage", "commit", "fail", "flush", "note", "count", "reopen", "adopt")

# One line per key: name, type, time of expiry or -1, value. A stream is described by its last entry.
DUMP = """
local lines = {}
local read = {
    hash = function(key)
        local flat, pairs = redis.call('HGETALL', key), {}
        for i = 1, #flat, 2 do pairs[#pairs + 1] = flat[i] .. '=' .. flat[i + 1] end
        table.sort(pairs)
        return table.concat(pairs, ' ')
    end,
    list = function(key) return table.concat(redis.call('LRANGE', key, 0, -1), ' ') end,
    string = function(key) return redis.call('GET', key) end,
    stream = function(key)
        local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
        return last[1] .. ' ' .. string.gsub(table.concat(last[2], ' '), '\\n', ';')
    end,
    zset = function() return '' end,
}
for _, key in ipairs(redis.call('KEYS', '*')) do
    local kind = redis.call('TYPE', key).ok
    lines[#lines + 1] = table.concat({key, kind, redis.call('PEXPIRETIME', key), read[kind](key)}, '|')
end
table.sort(lines)
return table.concat(lines, '\\n')
"""


class Server:
    """scripts: {name: text}; use() replaces them by a faulty variant."""

    def __init__(self):
        self.dir = None
        self.process = None
        self.scripts = {name: (SCRIPTS / f"{name}.lua").read_text() for name in NAMES}

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tft-model-", dir="/tmp"))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        library, clock, password = self.dir / "clock.so", self.dir / "clock", secrets.token_hex(16)
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run([*compiler, "-O2", "-shared", "-fPIC", "-o", library, HERE / "clock.c"], check=True)
        clock.write_bytes(bytes(8))
        with open(clock, "r+b") as file:
            self.clock = mmap.mmap(file.fileno(), 8)
        self.set_time(1_700_000_000_000_000)
        users = (SCRIPTS / "users.acl.in").read_text().splitlines()
        digest = hashlib.sha256(password.encode()).hexdigest()
        users = [line.replace("@REDIS_PASSWORD_SHA256@", digest).replace("@PREFIX@", "tft") for line in users if not line.startswith("#")]
        (self.dir / "users.acl").write_text("\n".join(users) + "\n")
        socket = self.dir / "redis.sock"
        command = ["setpriv", "--pdeathsig", "KILL", SERVER, "--port", "0", "--unixsocket", socket]
        # jemalloc's thread would never sleep: it waits for times that are past already, by the clock of the kernel.
        command += ["--jemalloc-bg-thread", "no"]
        command += ["--aclfile", self.dir / "users.acl", "--dir", self.dir, "--save", "", "--databases", "1", "--enable-debug-command", "yes"]
        env = {**os.environ, "LC_ALL": "C", "LD_PRELOAD": str(library), "TFT_CLOCK": str(clock)}
        log = self.dir / "log"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
        self.wait_ready(log)
        self.admin = redis.UnixDomainSocketConnection(path=str(socket))
        self.user = redis.UnixDomainSocketConnection(path=str(socket), username="tft", password=password)
        self.user.connect()
        # A key that expires in this millisecond can still be read, but Redis' own search for expired keys may already delete it.
        self.command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        self.load_dump()
        self.use()

    def wait_ready(self, log):
        end = time.monotonic() + 10
        while b"ready to accept connections" not in log.read_bytes().lower():
            assert self.process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.01)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def set_time(self, us):
        self.clock[:] = struct.pack("=q", us)

    def use(self, **changed):
        """Uses these scripts from now on; for other names, those of the product."""
        texts = {**self.scripts, **changed}
        self.sha = {name: hashlib.sha1(text.encode()).hexdigest() for name, text in texts.items()}
        self.texts = texts

    def command(self, *words):
        """Runs a command as the administrator."""
        self.admin.send_command(*words)
        return self.admin.read_response()

    def call(self, name, keys=(), arguments=()):
        """Runs a script as the dashboard does: by its hash, and loads it if Redis does not know it. Returns a list;
        ["error", code] if refused."""
        try:
            return plain(self.run(name, keys, arguments))
        except redis.exceptions.NoScriptError:
            self.user.send_command("SCRIPT", "LOAD", self.texts[name])
            try:
                self.user.read_response()
                return plain(self.run(name, keys, arguments))
            except redis.ResponseError as error:
                return refusal(error)
        except redis.ResponseError as error:
            return refusal(error)

    def run(self, name, keys, arguments):
        self.user.send_command("EVALSHA", self.sha[name], len(keys), *keys, *arguments)
        return self.user.read_response()

    def load_dump(self):
        self.dump_sha = self.command("SCRIPT", "LOAD", DUMP)

    def dump(self):
        self.admin.send_command("EVALSHA", self.dump_sha, 0)
        return self.admin.read_response().decode()


def plain(answer):
    return [item.decode() if isinstance(item, bytes) else item for item in answer]


# redis-py turns these words at the beginning of an error into a class, and removes them; older versions do not have all of them.
CLASSES = {"NOPERM": "NoPermissionError", "OOM": "OutOfMemoryError"}


def refusal(error):
    """The code word at the beginning of a Redis error."""
    for word, name in CLASSES.items():
        if type(error).__name__ == name:
            return ["error", word]
    word = str(error).split(" ", 1)[0]
    return ["error", word if word.isupper() else "ERR"]
