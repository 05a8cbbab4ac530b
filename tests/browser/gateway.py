# SPDX-License-Identifier: MIT
"""A gateway between viewers and the dashboard, which may answer requests itself.

    with Gateway(stack) as gateway:
        window.open(gateway.url("/"))
        gateway.status = 502                         # from now on it answers everything itself, with this status
        gateway.replaced = {"app.": b"const = 1;"}   # other bytes for a script with this in its name
        gateway.refused                              # the number of requests that it has answered itself
"""
import http.client
import http.server
import threading


class Gateway(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stack):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = stack.hosts[0].port
        self.status = None
        self.replaced = {}
        self.refused = 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.shutdown()
        self.server_close()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.server.status:
            self.server.refused += 1
            self.reply(self.server.status, {"Content-Type": "text/plain"}, b"gateway error\n")
            return
        other = [body for name, body in self.server.replaced.items() if f"/static/{name}" in self.path]
        if other:
            self.reply(200, {"Content-Type": "text/javascript"}, other[0])
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target)
        asked = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection")}
        connection.request("GET", self.path, headers=asked)
        answer = connection.getresponse()
        hops = ("connection", "content-length", "transfer-encoding")
        headers = {key: value for key, value in answer.getheaders() if key.lower() not in hops}
        self.reply(answer.status, headers, answer.read())
        connection.close()

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass
