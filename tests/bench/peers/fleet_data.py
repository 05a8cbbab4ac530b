# SPDX-License-Identifier: MIT
"""What both apps show: the fleet's predictions as rows of a table, and a heatmap of one metric.

Environment: PEER_UPSTREAM and PEER_GENERATOR, base URLs of the inference daemon and of the metrics generator;
PEER_INTERVAL, seconds.
"""
import os

import pandas as pd
import plotly.express as px
import requests

INTERVAL = int(os.environ["PEER_INTERVAL"])
METRICS = ("cpu_user_pct", "mem_used_pct", "cpu_iowait_pct", "load_average")

session = requests.Session()
session.trust_env = False


def get(base, path):
    return session.get(os.environ[base] + path, timeout=30).json()


def predictions():
    return get("PEER_UPSTREAM", "/predictions/current")


def status():
    return get("PEER_UPSTREAM", "/status")


def scenario():
    return get("PEER_GENERATOR", "/scenario/status")


def table(answer):
    """One row per server: now, and the median in half an hour, of each metric."""
    rows = []
    for name, metrics in answer["predictions"].items():
        row = {"server": name}
        for metric in METRICS:
            forecast = metrics.get(metric)
            if isinstance(forecast, dict):
                row[metric] = forecast.get("current")
                row[f"{metric} +30m"] = forecast["p50"][5]
        rows.append(row)
    return pd.DataFrame(rows).round(1).sort_values("cpu_user_pct", ascending=False)


def bars(frame):
    return px.bar(frame.head(15), x="server", y="cpu_user_pct")


def heatmap(frame):
    values = frame.set_index("server")[list(METRICS)]
    return px.imshow(values.T, aspect="auto", text_auto=True)
