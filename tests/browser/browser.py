# SPDX-License-Identifier: MIT
"""Headless Chromium for tests. It reaches nothing but the stack under test."""
import functools
import os
import pathlib
import subprocess
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from stack import BUILD, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Where screenshots go, if anybody wants them: TFT_SCREENSHOTS=doc renews those that README shows.
SHOTS = os.environ.get("TFT_SCREENSHOTS")

ARGUMENTS = [
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
]


@functools.cache
def axe_source():
    """axe-core in the locked version, fetched into the build directory the first time."""
    path = BUILD / "third-party" / "axe.min.js"
    if not path.exists():
        nginx = ROOT / "nginx"
        subprocess.run([nginx / "third-party.sh", nginx, BUILD / "third-party", "npm"], check=True)
    return path.read_text()


class Browser:
    """One window. dark: the colour scheme that the system prefers; script: JavaScript on or off."""

    def __init__(self, width=1280, height=900, dark=False, script=True):
        self.profile = tempfile.TemporaryDirectory(prefix="tft-chromium-", ignore_cleanup_errors=True)
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for argument in ARGUMENTS + ["--no-sandbox"] * (os.geteuid() == 0):
            options.add_argument(argument)
        options.add_argument(f"--user-data-dir={self.profile.name}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if not script:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(20)
        self.driver.set_script_timeout(20)
        self.size(width, height)
        self.prefer("dark" if dark else "light")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.driver.quit()
        self.profile.cleanup()

    def size(self, width, height):
        """Sets the size of the page, even below the least width of a window."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme):
        """Sets what the system prefers: light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url):
        self.driver.get(url)
        return self

    def all(self, css):
        return self.driver.find_elements("css selector", css)

    def one(self, css):
        found = self.all(css)
        assert len(found) == 1, f"{len(found)} elements match {css!r}"
        return found[0]

    def text(self, css):
        return self.one(css).text

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    def wait(self, script, timeout=15):
        """Waits until the JavaScript expression is true; returns its value."""
        return wait_until(lambda: self.run(f"return {script}"), timeout, script)

    def keys(self, *keys):
        """Types into the element that has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def help(self):
        """Opens the keys and settings, whose script comes when they are asked for."""
        self.run("[...document.querySelectorAll('header button')].pop().click()")
        self.wait("document.querySelector('#help')?.open")

    def end_help(self):
        """Closes them by the key; the browser does so a moment after it."""
        self.keys(Keys.ESCAPE)
        self.wait("!document.querySelector('#help').open")

    def set(self, css, value):
        """Chooses a value of a list."""
        self.run("const s = document.querySelector(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('change', {bubbles: true}))", css, value)

    def polled(self, start="", changed=False):
        """Runs a statement and waits for the end of the next refresh, or of the next one that changes the page."""
        return self.driver.execute_async_script(
            "const done = arguments[1], wanted = arguments[0];"
            "document.addEventListener('tft:polled', function heard(event) {"
            "  if (wanted && !event.detail.changed) return;"
            "  document.removeEventListener('tft:polled', heard); done(event.detail.changed); });" + start,
            changed,
        )

    def refresh(self):
        """Refreshes by the link, as viewers do."""
        return self.polled("document.querySelector('.refresh a').click();")

    def findings(self):
        """What axe reports as serious or critical."""
        if not self.run("return typeof axe === 'object'"):
            self.run(axe_source())
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations"
            "  .filter(v => ['serious', 'critical'].includes(v.impact))"
            "  .map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')}`)))"
        )
        return found

    def page_width(self):
        return self.run("return document.documentElement.scrollWidth")

    def complaints(self):
        """What the browser has written to its console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def shot(self, name, full=True):
        """Saves a picture of the whole page, or of the window, for whoever wants to look at it."""
        if not SHOTS:
            return
        pathlib.Path(SHOTS).mkdir(parents=True, exist_ok=True)
        if full:
            width, height = self.run("return [innerWidth, document.documentElement.scrollHeight]")
            self.size(width, height)
        self.driver.save_screenshot(f"{SHOTS}/{name}.png")
        if full:
            self.size(width, 900)
