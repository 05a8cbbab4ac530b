# SPDX-License-Identifier: MIT
"""Tabs of one headless Chromium with an empty cache, timed from outside, with what comes over the network."""
import contextlib
import json
import os
import sys
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from rig import HERE
from stack import wait_until

sys.path.insert(0, str(HERE.parent / "browser"))
from browser import ARGUMENTS  # noqa: E402

LATE = 60  # seconds after which nothing is waited for any more


class Tabs:
    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="tft-chromium-", ignore_cleanup_errors=True)
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for argument in ARGUMENTS + ["--no-sandbox"] * (os.geteuid() == 0):
            options.add_argument(argument)
        options.add_argument(f"--user-data-dir={self.profile.name}")
        options.page_load_strategy = "none"
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.driver.quit()
        self.profile.cleanup()

    def true(self, condition):
        with contextlib.suppress(WebDriverException):  # between two documents there is none to ask
            return self.value(f"!!({condition})")

    def timed(self, condition, action, *args):
        """Milliseconds from an action until the JavaScript expression is true."""
        began = time.perf_counter()
        action(*args)
        wait_until(lambda: self.true(condition), LATE, condition)
        return (time.perf_counter() - began) * 1e3

    def open(self, url):
        self.driver.get(url)

    def open_another(self, url):
        self.driver.switch_to.new_window("tab")
        self.open(url)

    def reload(self):
        self.driver.refresh()

    def run(self, script):
        self.driver.execute_script(script)

    def value(self, expression):
        return self.driver.execute_script(f"return {expression}")

    def traffic(self):
        """(requests, bytes) since the last time. The bytes of web sockets are those of the messages."""
        asked, size = set(), 0
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            values = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                asked |= {values["requestId"]} if values["request"]["url"].startswith("http") else set()
            elif message["method"] == "Network.loadingFinished":
                size += values["encodedDataLength"] * (values["requestId"] in asked)
            elif message["method"] == "Network.webSocketFrameReceived":
                size += len(values["response"]["payloadData"])
        return len(asked), size
