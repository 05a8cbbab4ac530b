# SPDX-License-Identifier: MIT
"""Every state of doc/pages.md#states as viewers see it, in light and dark: its words, its colours, and no accessibility
barrier."""
import contextlib
import os

from stack import Service, Stack, clock_library, long_interval
from upstream import Upstream

FLEET = "predictions_current-critical-20"
CLOCK = r"\d\d:\d\d:\d\d UTC"


@contextlib.contextmanager
def running(interval=5, fleet=True, before=None, **options):
    with Upstream(predictions=FLEET) as upstream:
        if before:
            before(upstream)
        with Stack(workers=2, interval=interval, upstream=upstream, **options) as stack:
            if fleet:
                stack.wait_fleet()
            yield stack


@contextlib.contextmanager
def aged(seconds, interval=300):
    """Data that are this many seconds old, and a daemon that is gone: Redis' clock was behind when the data were stored."""
    with running(interval=interval, fleet=False, redis=False) as stack:
        host = stack.hosts[0]
        env = dict(os.environ, LD_PRELOAD=clock_library(), TFT_CLOCK_OFFSET=str(-seconds))
        stack.redis_service = Service("redis", stack.redis_command(), host.dir / "log" / "redis.log", env)
        stack.wait(lambda: stack.redis_answers() and stack.redis.hexists("tft:cur:fleet", "bucket"), 15, "a snapshot of the past")
        stack.upstream.unlisten()
        stack.restart_redis()
        yield stack


def check(window, stack, name, state, *texts, path="/", late=False):
    """Waits for the state, then checks it in both colour schemes."""
    window.prefer("light")
    window.size(1280, 900)
    window.open(stack.url(path))
    window.wait(f"document.querySelector('#state')?.dataset.state === '{state}'", 25)
    for text in texts:
        where = "#notes" if late else "#state"
        window.wait(f"/{text}/.test(document.querySelector('{where}').innerText)", 10)
    found = {}
    for scheme in ("light", "dark"):
        window.prefer(scheme)
        found[scheme] = window.findings()
        window.shot(f"state-{name}-{scheme}", full=False)
    window.prefer("light")
    assert found == {"light": [], "dark": []}


def test_live(window):
    with running(interval=long_interval()) as stack:
        check(window, stack, "live", "live", r"Live - \d+ s")
        check(window, stack, "empty-filter", "live", path="/?profile=conductor&sev=imminent")
        assert "No servers match profile=Conductor Mgmt, level=Imminent Failure" in window.text("#view")
        assert window.all("#view a[href='./#alerts'], #view a[href='./']")


def test_stale_because_the_daemon_is_gone(window):
    with running() as stack:
        stack.upstream.unlisten()
        check(
            window,
            stack,
            "stale",
            "stale",
            rf"Showing stale data from {CLOCK}",
            rf"connection refused since {CLOCK}",
            rf"Next try due {CLOCK}",
        )
        assert window.text("#badge").startswith("Stale - ")
        stack.upstream.listen()
        stack.redis.delete("tft:brk:fleet")
        window.wait("document.querySelector('#state').dataset.state === 'live'", 20)


def test_very_stale(window):
    with aged(700) as stack:
        check(window, stack, "very-stale", "very-stale", "Data is older than 10 minutes", "Do not act on these numbers")
        assert window.text("#badge") in ("Very stale - 11 min", "Very stale - 12 min")
        check(window, stack, "very-stale-kiosk", "very-stale", "Do not act", path="/?view=kiosk")


def test_no_data_since(window):
    with aged(3700) as stack:
        check(window, stack, "no-data", "no-data", rf"No data since {CLOCK}")
        assert "Is the prediction daemon running" in window.text("#view")
        assert not window.all("#alerts")


def test_cold_and_then_the_first_data_without_a_reload_by_hand(window):
    def broken(upstream):
        upstream.predictions.fail()

    with running(fleet=False, before=broken) as stack:
        check(window, stack, "cold", "cold", "Collecting first data", rf"answered 5xx since {CLOCK}")
        assert stack.upstream.daemon_url + "/predictions/current" in window.text("#view")
        window.run("window.same = true")
        stack.upstream.predictions.reset_controls()
        stack.redis.delete("tft:brk:fleet")
        window.wait("document.querySelector('#state').dataset.state === 'live'", 20)
        assert window.run("return window.same"), "the page was changed, not loaded again"
        assert window.text("#badge").startswith("Live - ")


def test_warming_up_without_data(window):
    def warming(upstream):
        upstream.predictions.load("predictions_current-insufficient-20")
        upstream.warmup.load("status-warming_up_150-20")

    with running(fleet=False, before=warming) as stack:
        check(window, stack, "warming", "warming", "The daemon is warming up")


def test_warming_up_with_data(window):
    with running(interval=long_interval(), before=lambda upstream: upstream.warmup.load("status-warming_up_150-20")) as stack:
        check(window, stack, "warming-data", "live", "The daemon is warming up")


def test_shared_cache_off(window):
    with running(fleet=False, redis=False) as stack:
        stack.wait_fleet()
        check(window, stack, "cache-off", "live", "Shared cache off: this node fetches on its own")


def test_key_refused(window):
    with running() as stack:
        stack.upstream.require_key = "another"
        check(window, stack, "key", "stale", "Prediction daemon refuses our API key", rf"Next try due {CLOCK}")


def test_rate_limited(window):
    with running() as stack:
        stack.upstream.predictions.load("predictions_current-rate_limited-0", status=429)
        check(window, stack, "rate", "stale", "Prediction daemon limits our calls", rf"Next try due {CLOCK}")


def test_times_are_those_of_the_browser(window):
    with running() as stack:
        stack.upstream.unlisten()
        window.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Kolkata"})
        window.open(stack.url("/"))
        window.wait("document.querySelector('#state').dataset.state === 'stale'", 20)
        time = window.all("#state .band time")[0]
        assert time.text.endswith("GMT+5:30") or "GMT+5:30" in time.text
        shown = time.get_attribute("textContent")[:8]
        utc = time.get_attribute("datetime")[11:19]
        minutes = [int(t[:2]) * 60 + int(t[3:5]) for t in (shown, utc)]
        assert (minutes[0] - minutes[1]) % 1440 == 330
        assert time.get_attribute("title") == f"{utc} UTC"
        window.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
