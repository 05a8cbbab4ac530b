# SPDX-License-Identifier: MIT
"""How often the upstream is called while viewers walk through the pages, with and without the dashboard."""
import time

from peer import FLASK, Peers
from rig import PRODUCTION, Rig, wait_next_bucket
from table import markdown
from viewers import Viewer, require_pages, watch

# Load, tab, dropdown, tab, filter, tab, refresh, as fractions of the timeline.
STEPS = (
    (0.0, "/"),
    (0.1, "/heatmap"),
    (0.25, "/heatmap?metric=memory"),
    (0.4, "/top"),
    (0.55, "/?sev=critical-up"),
    (0.7, "/remediation"),
    (0.9, "/"),
)
SMALL = "predictions_current-critical-20"


def timeline(ports, viewers, seconds, path=lambda path: path):
    """Viewers start at different moments: a tenth of the time lies between the first and the last."""
    plans = []
    for i in range(viewers):
        plan = [(seconds * (part * 0.9 + 0.1 * i / viewers), path(where)) for part, where in STEPS]
        plans.append(Viewer(ports[i % len(ports)], plan))
    return plans


def calls_of(rig, viewers, patient):
    before = (rig.upstream.predictions.count, len(rig.upstream.calls))
    seen = watch(viewers)
    require_pages(seen, patient)
    after = (rig.upstream.predictions.count, len(rig.upstream.calls))
    return len(seen), after[0] - before[0], after[1] - before[1] - (after[0] - before[0])


def with_cache(hosts, counts, seconds, short):
    """Lasts one bucket, from the middle of one to the middle of the next, so it contains one bucket's call."""
    rows = []
    with Rig(hosts=hosts * (PRODUCTION,), interval=seconds) as rig:
        rig.wait_fleet()
        for viewers in counts:
            if not short:
                wait_next_bucket(rig, 2 * seconds)
                time.sleep(seconds / 2)
            plan = timeline([host.port for host in rig.hosts], viewers, seconds)
            requests, predictions, small = calls_of(rig, plan, short)
            name = f"dashboard, {hosts} host{'s' * (hosts > 1)}"
            rows.append([name, f"{viewers:,}", f"{requests:,}", predictions, small])
    return rows


def without_cache(counts, seconds, short):
    """The peer that calls for each page. Calls per viewer do not depend on the number of viewers: the last row is
    calculated, because the real daemon refuses more than 30 calls a minute."""
    rows = []
    with Rig(interval=300, fleet=SMALL) as rig:
        rig.wait_fleet()
        with Peers(rig) as peers:
            for viewers in counts[:-1]:
                plan = timeline([peers.port_of(FLASK)], viewers, seconds, lambda path: "/uncached" + path.split("?")[0])
                requests, predictions, small = calls_of(rig, plan, short)
                rows.append(["Flask, no cache", f"{viewers:,}", f"{requests:,}", predictions, small])
        each = len(STEPS) * counts[-1]
        rows.append(["Flask, no cache (calculated)", f"{counts[-1]:,}", f"{each:,}", f"{each:,}", 0])
    return rows


def run(short):
    seconds = 5 if short else 10
    counts = (1, 5) if short else (1, 10, 1000)
    rows = without_cache(counts, 1 if short else seconds, short)
    for hosts in (1,) if short else (1, 3):
        rows += with_cache(hosts, counts[-1:] if short else counts, seconds, short)
    text = (
        "The walk is load, tab, dropdown, tab, filter, tab, refresh. It is made for 30 s and run here in "
        f"{seconds} s with an interval of {seconds} s instead of 30 s, across one change of bucket. A host is a run "
        "directory with its own nginx and 6 workers.\n\n"
    )
    header = ["", "viewers", "requests", "predictions calls", "status and scenario calls"]
    return text + markdown(header, rows)
