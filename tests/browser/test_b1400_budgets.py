# SPDX-License-Identifier: MIT
"""What a page may cost (doc/limits.md#budgets), and the third-party files that are shipped."""
import hashlib
import json
import re

import pytest
from browser import ROOT, Browser
from stack import BUILD, Stack
from upstream import Upstream

OBSERVE = (
    "window.shift = 0; window.paint = 0;"
    "window.shifted = [];"
    "new PerformanceObserver(l => l.getEntries().forEach(e => { shift += e.value;"
    "  shifted.push(...e.sources.map(s => s.node?.parentNode?.outerHTML.slice(0, 200))); }))"
    ".observe({type: 'layout-shift', buffered: true});"
    "new PerformanceObserver(l => l.getEntries().forEach(e => paint = e.startTime))"
    ".observe({type: 'largest-contentful-paint', buffered: true});"
)


@pytest.fixture(scope="module")
def quick():
    """A stack whose data change every 5 seconds."""
    with Upstream(predictions="predictions_current-critical-90") as upstream:
        with Stack(workers=2, interval=5, upstream=upstream) as stack:
            stack.wait_fleet()
            yield stack


def test_overview_of_90_servers_is_small(stack):
    plain = stack.get("/", headers={"Accept-Encoding": "identity"})
    packed = stack.request("GET", "/", headers={"Accept-Encoding": "gzip"}, stream=True).raw.read()
    print(f"overview: {len(plain.content)} bytes, {len(packed)} compressed")
    assert len(plain.content) <= 48 * 1024
    assert len(packed) <= 12 * 1024


def test_cold_load(stack):
    with Browser() as cold:
        before = len(stack.access_log().splitlines())
        cold.open(stack.url("/"))
        cold.run(OBSERVE)
        cold.wait("document.readyState === 'complete' && paint > 0")
        # The last thing a browser asks for is the icon.
        stack.wait(lambda: "favicon" in "".join(stack.access_log().splitlines()[before:]), 10, "the icon")
        # The fixture's last requests to the API are logged a little after their answers.
        lines = [line for line in stack.access_log().splitlines()[before:] if "/api/" not in line]
        total = sum(int(re.search(r"bytes=(\d+)", line).group(1)) for line in lines)
        shift, paint, shifted = cold.run("return [shift, paint, shifted]")
        origins = cold.run("return performance.getEntriesByType('resource').map(e => new URL(e.name).origin)")
        print(f"cold load: {len(lines)} requests, {total} bytes, largest paint after {paint:.0f} ms, shift {shift}")
        assert cold.complaints() == []
    assert len(lines) <= 5, lines
    assert total <= 30 * 1024
    assert shift == 0, shifted
    assert set(origins) == {stack.url("")}


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_shifts_when_the_script_comes_late_and_when_it_refreshes(window, quick, width):
    window.size(width, 900)
    window.driver.execute_cdp_cmd("Network.enable", {})
    window.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    slow = {"offline": False, "latency": 50, "downloadThroughput": 8000, "uploadThroughput": 15000}
    window.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    window.open(quick.url("/"))
    window.driver.execute_cdp_cmd("Network.disable", {})
    window.run(OBSERVE)
    first = window.run("return performance.getEntriesByType('paint')[0].startTime")
    script = window.run(
        "return performance.getEntriesByType('resource').find(e => /app\\.\\w+\\.js$/.test(e.name)).responseEnd"
    )
    assert first < script, "the page was there before its script"
    window.polled(changed=True)
    assert window.run("return shift") == 0, window.run("return shifted")
    window.size(1280, 900)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("path", ["/", "/heatmap", "/top"])
def test_nothing_shifts_while_the_page_arrives_in_pieces(window, stack, path, width):
    """Its style is there already: a browser could paint every piece, and a busy one does so on a fast link, too."""
    window.size(width, 900)
    window.driver.execute_cdp_cmd("Network.enable", {})
    window.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    window.open(stack.url("/cost"))
    # Uncompressed, it arrives in many pieces.
    window.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Encoding": "identity"}})
    slow = {"offline": False, "latency": 20, "downloadThroughput": 30000, "uploadThroughput": 30000}
    window.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    window.open(stack.url(path))
    window.driver.execute_cdp_cmd("Network.disable", {})
    window.run(OBSERVE)
    window.wait("paint > 0")
    shift, shifted, sheet, start, end = window.run(
        "const [page] = performance.getEntriesByType('navigation');"
        "const sheet = performance.getEntriesByType('resource').find(e => /style\\.\\w+\\.css$/.test(e.name));"
        "return [shift, shifted, sheet.responseEnd, page.responseStart, page.responseEnd]"
    )
    window.size(1280, 900)
    assert sheet - start < (end - start) / 2, "the better half of the page came when the style was there"
    assert shift == 0, shifted


def test_an_unchanged_answer_touches_nothing_and_costs_little(window, stack):
    window.open(stack.url("/"))
    window.refresh()  # the ETag is known from here on
    window.run(
        "window.touched = [];"
        "new MutationObserver(list => touched.push(...list.map(m => m.target.id || m.target.nodeName)))"
        ".observe(document, {subtree: true, childList: true, attributes: true, characterData: true});"
        "const morph = Idiomorph.morph; Idiomorph.morph = (...all) => { touched.push('morph'); return morph(...all); };"
    )
    assert window.refresh() is False
    # The age, and the footer's text about this request.
    assert set(window.run("return touched")) <= {"badge", "served"}
    assert window.run("return performance.getEntriesByType('resource').at(-1).transferSize") <= 300
    log = [line for line in stack.access_log().splitlines() if 'uri="/"' in line]
    assert "status=304" in log[-1]


def test_hundreds_of_refreshes_leave_nothing_behind(window, stack):
    """Every answer differs in all its numbers. The network is left out; the rest is what a viewer's browser does."""
    window.open(stack.url("/?sev=imminent"))
    window.driver.execute_cdp_cmd("HeapProfiler.enable", {})
    window.run(
        "window.heard = 0; window.real = fetch; window.count = 0;"
        "const text = new XMLHttpRequest(); text.open('GET', location.href, false); text.send();"
        "const pages = [text.responseText, text.responseText.replace(/<td>(\\d)/g, '<td>9$1')"
        ".replace(/data-bucket=\"\\d+\"/, 'data-bucket=\"1\"').replace(/data-gen-ms=\"\\d\\d/, 'data-gen-ms=\"1')];"
        "window.fetch = async () => new Response(pages[++count % 2], {headers: {ETag: `W/\"${count}\"`}});"
    )
    many = (
        "const [n, done] = arguments; let left = n;"
        "document.addEventListener('tft:polled', function next() {"
        "  if (--left) return document.querySelector('.refresh a').click();"
        "  document.removeEventListener('tft:polled', next); done(count); });"
        "document.querySelector('.refresh a').click();"
    )

    def heap():
        for _ in range(2):
            window.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        return window.driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"]

    window.driver.set_script_timeout(120)
    window.driver.execute_async_script(many, 50)
    before = heap()
    window.driver.execute_async_script(many, 400)
    grown = heap() - before
    print(f"heap after 400 refreshes: {grown / 1024:+.0f} KiB")
    assert window.run("return count") >= 450
    assert grown < 400 * 1024
    window.run("window.fetch = real")


def test_a_refresh_of_90_servers_is_taken_over_within_a_frame_or_three(window, stack):
    window.open(stack.url("/"))
    morph = (
        "const done = arguments[0];"
        "fetch(location.href).then(r => r.text()).then(text => {"
        "  const page = new DOMParser().parseFromString(text.replace(/<td>(\\d)/g, '<td>9$1'), 'text/html');"
        "  const start = performance.now();"
        "  Idiomorph.morph(document.querySelector('#view'), page.querySelector('#view'), {morphStyle: 'outerHTML'});"
        "  done(performance.now() - start); })"
    )
    ms = min(window.driver.execute_async_script(morph) for _ in range(5))  # another process may delay one of them
    print(f"morph: {ms:.0f} ms")
    assert ms < 200  # 50 on an idle machine


# ---- third-party files that are shipped ----

LIBRARIES = {
    "idiomorph.min.js": ("idiomorph", "0.8.0", "4cbd535caf7663a51eda9bce6595371c384fc430d54b8d414e29a61167f19f96"),
    "uPlot.iife.min.js": ("uplot", "1.6.32", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
    "uPlot.min.css": ("uplot", "1.6.32", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
}


@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries_are_those_of_the_lock_unchanged(name):
    package, version, digest = LIBRARIES[name]
    lock = json.loads((ROOT / "nginx" / "package-lock.json").read_text())
    assert lock["packages"][f"node_modules/{package}"]["version"] == version
    library = (BUILD / "third-party" / name).read_bytes()
    assert hashlib.sha256(library).hexdigest() == digest
    words = {"idiomorph.min.js": b"var Idiomorph=", "uPlot.iife.min.js": b"var uPlot=", "uPlot.min.css": b".u-wrap"}[name]
    bundles = [p for p in (BUILD / "assets" / "static").iterdir() if p.suffix in (".js", ".css")]
    assert any(words in p.read_bytes() for p in bundles)


def test_licences_are_shipped_and_no_registry_is_named():
    for name, words in (("LICENSE.idiomorph", "Zero-Clause BSD"), ("LICENSE.uPlot", "MIT License")):
        assert words in (BUILD / "third-party" / name).read_text()
    assert '"resolved"' not in (ROOT / "nginx" / "package-lock.json").read_text()
