# SPDX-License-Identifier: MIT
"""The same page from Flask: from Redis, or without any cache: call the upstream, decode, render.

Environment: PEER_REDIS socket of Redis, PEER_UPSTREAM base URL of the inference daemon.
"""
import os

import redis
import requests
from flask import Flask, Response, abort, render_template_string

app = Flask(__name__)
cache = redis.Redis(unix_socket_path=os.environ["PEER_REDIS"])
upstream = requests.Session()
upstream.trust_env = False

TABLE = """<!doctype html><html lang="en"><title>Fleet</title><h1>{{ tab }}</h1><table>
{% for name, metrics in servers %}<tr><th>{{ name }}</th>
{% for metric, forecast in metrics %}<td>{{ metric }} {{ "%.1f"|format(forecast.p50[0]) }}</td>{% endfor %}</tr>
{% endfor %}</table></html>"""


@app.route("/")
def stored():
    page = cache.get("bench:page")
    if page is None:
        abort(404)
    return Response(page, mimetype="text/html", headers={"Content-Encoding": "gzip"})


@app.route("/uncached/")
@app.route("/uncached/<tab>")
def uncached(tab="overview"):
    answer = upstream.get(os.environ["PEER_UPSTREAM"] + "/predictions/current", timeout=60).json()
    servers = []
    for name, metrics in sorted(answer["predictions"].items()):
        found = [(key, value) for key, value in metrics.items() if isinstance(value, dict) and value.get("p50")]
        servers.append((name, found))
    return render_template_string(TABLE, tab=tab, servers=servers)
