# SPDX-License-Identifier: MIT
"""A byte proxy between workers and Redis that misbehaves on request, mostly on the way back to the worker.

    with ProxiedStack() as stack:
        stack.proxy.latency = 0.5          # seconds before each piece of an answer
        stack.proxy.piece = 1              # bytes of a piece
        stack.proxy.cut = 300              # end the connection after that many bytes of answers; reset: by RST
        stack.proxy.replace = b"garbage"   # instead of each answer
        stack.proxy.extra = b"+OK\\r\\n"     # once, after the next answer
        stack.proxy.refuse = True          # refuse new connections; open ones stay
    stack.proxy.before = b"HGET", act  # call act() once, before it forwards the first request with these bytes
        stack.proxy.sever()                # end all connections
        stack.proxy.heal()                 # undo everything

The attributes also apply to open connections. `connections` counts the connections so far.
"""
import contextlib
import socket
import struct
import threading

from stack import Stack


class Proxy:
    def __init__(self, target, path=None, bind=None):
        """Listens on a unix socket at path, or on a free TCP port of the address bind. target is a path or (address,
        port)."""
        self.target = target
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.bind(str(path) if path else (bind, 0))
        self.listener.listen(64)
        self.address = f"unix:{path}" if path else "%s:%d" % self.listener.getsockname()
        self.connections = 0
        self.pairs = set()
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.reset_toxics()
        threading.Thread(target=self.serve, daemon=True).start()

    def reset_toxics(self):
        self.latency = 0.0
        self.piece = 65536
        self.cut = None
        self.reset = False
        self.replace = None
        self.extra = b""
        self.refuse = False
        self.before = None

    def heal(self):
        """Ends the connections whose answers were held back or changed. Redis itself was never at fault."""
        self.reset_toxics()
        self.sever()

    def sever(self):
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.closing.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.sever()

    def serve(self):
        while not self.closing.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            tcp = isinstance(self.target, tuple)
            server = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
            try:
                if self.refuse:
                    raise ConnectionRefusedError
                server.connect(self.target if tcp else str(self.target))
            except OSError:
                client.close()
                server.close()
                continue
            with self.lock:
                self.pairs.add((client, server))
            threading.Thread(target=self.pump, args=(client, server, self.forward), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, self.answer), daemon=True).start()

    def pump(self, source, sink, carry):
        """Forwards bytes until either side ends, then ends both."""
        self_pair = (source, sink) if carry == self.forward else (sink, source)
        with contextlib.suppress(OSError, EOFError):
            while data := source.recv(65536):
                carry(sink, data)
        with self.lock:
            self.pairs.discard(self_pair)
        for end in self_pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def forward(self, sink, data):
        if self.before and self.before[0] in data:
            (_, act), self.before = self.before, None
            act()
        sink.sendall(data)

    def answer(self, sink, data):
        if self.replace is not None:
            data = self.replace
        extra, self.extra = self.extra, b""
        data += extra
        while data:
            if self.latency and self.closing.wait(self.latency):
                raise EOFError
            self.send_piece(sink, data[: self.piece])
            data = data[self.piece :]

    def send_piece(self, sink, piece):
        if self.cut is None:
            sink.sendall(piece)
            return
        sink.sendall(piece[: self.cut])
        self.cut -= min(self.cut, len(piece))
        if self.cut == 0:
            if self.reset:
                sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise EOFError


class ProxiedStack(Stack):
    """A Stack whose workers reach Redis through proxies, one per host; stack.proxy is that of host 0."""

    def __init__(self, **options):
        super().__init__(**options)
        self.proxies = {}

    @property
    def proxy(self):
        return self.proxies[self.hosts[0].dir]

    def worker_env(self, host):
        if host.dir not in self.proxies:
            self.proxies[host.dir] = Proxy(self.redis_socket, path=host.dir / "proxy.sock")
        env = super().worker_env(host)
        env["TFT_REDIS"] = self.proxies[host.dir].address
        return env

    def stop(self, check=True):
        for proxy in self.proxies.values():
            proxy.close()
        super().stop(check)
