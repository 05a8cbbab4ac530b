# SPDX-License-Identifier: MIT
"""Tables that people live in: how many clicks, what stays, what the keys do (doc/pages.md#overview)."""
import pytest
from browser import Browser
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def page(window, stack):
    window.size(1440, 900)
    window.open(stack.url("/healthz"))
    window.run("localStorage.clear()")
    window.open(stack.url("/"))
    window.complaints()
    return window


def click(page, css):
    page.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", css)
    page.one(css).click()


def names(page):
    return page.run("return [...document.querySelectorAll('#alerts-table tr[id^=srv-]')].map(r => r.id.slice(4))")


def choose_databases(page):
    click(page, ".matrix a[href='./?profile=db&sev=watch-up#alerts']")
    page.wait("document.querySelector('#alerts-table a[href*=\"sev=watch-up&sort=-mem#\"]')")
    click(page, "#alerts-table a[href*='sort=-mem#']")
    page.wait("location.search === '?profile=db&sev=watch-up&sort=-mem'")
    memory = page.run("return [...document.querySelectorAll('#alerts-table td:nth-child(11)')].map(c => parseFloat(c.textContent))")
    assert memory == sorted(memory, reverse=True) and len(memory) > 2
    assert all(name.startswith("ppdb") for name in names(page))
    assert page.one("#alerts-table [aria-sort=descending]").text.startswith("Mem Now")


def test_databases_at_watch_or_worse_by_memory_are_two_clicks_away(page, stack):
    with Browser(1440, script=False) as plain:
        for window in (page, plain):
            window.open(stack.url("/"))
            choose_databases(window)
    assert page.complaints() == []


def test_a_file_of_what_is_shown_is_one_click_away(page, stack):
    page.open(stack.url("/?profile=db&sev=watch-up&sort=-mem"))
    link = page.one("#alerts .downloads a[href*='format=csv']").get_attribute("href")
    assert len(stack.get(link.removeprefix(stack.url(""))).text.splitlines()) == 1 + len(names(page))


def test_a_risk_opens_its_reasons_and_a_refresh_keeps_them(page, stack):
    name = names(page)[2]
    page.run("document.querySelector('#alerts').scrollIntoView()")
    before = page.run("return scrollY")
    page.polled(f"document.querySelector('#srv-{name} td > a').click()")
    assert page.run("return location.search") == f"?row={name}"
    assert "Why: the rules" in page.text(f"#why-{name}")
    assert page.run("return scrollY") == before, "nothing jumps"
    page.refresh()
    assert page.one(f"#why-{name}").is_displayed()
    page.polled(f"document.querySelector('#srv-{name} td > a').click()")
    assert page.run("return location.search") == "" and not page.all(f"#why-{name}")
    with Browser(script=False) as plain:
        plain.open(stack.url("/"))
        plain.run("document.querySelector(arguments[0]).click()", f"#srv-{name} td > a")
        stack.wait(lambda: plain.all(f"#why-{name}"), 20, "the details, without a script")
    assert page.complaints() == []


def test_rows_are_walked_with_the_keyboard(page, stack):
    first, second = names(page)[:2]
    focus = "return document.activeElement.closest('tr')?.id"
    page.keys("j")
    start = page.run("return document.activeElement.closest('[id^=srv-]').id")
    while page.run(focus) != f"srv-{second}":
        page.keys("j")
    page.keys("k")
    assert page.run(focus) == f"srv-{first}" and start
    page.run("document.dispatchEvent(new CustomEvent('tft:polled', {detail: {}}))")
    page.keys("o")
    page.wait(f"document.querySelector('#why-{first}')")
    assert page.run(focus) == f"srv-{first}", "the focus stays"
    page.keys("o")
    page.wait(f"!document.querySelector('#why-{first}')")
    page.keys(Keys.ENTER)
    page.wait(f"location.pathname === '/server/{first}'")


def test_single_keys_can_be_switched_off_and_stay_off(page, stack):
    page.help()
    page.all("#help label")[0].click()
    page.end_help()
    for _ in range(2):
        page.keys("p/?")
        assert page.text("#pause") == "Pause" and not page.all("#help[open]")
        assert page.run("return document.activeElement.id") != "find"
        page.open(stack.url("/"))
    page.help()
    page.all("#help label")[0].click()
    page.end_help()
    page.keys("p")
    page.wait("document.querySelector('#pause').textContent === 'Resume'")


def test_rows_are_denser_and_it_is_remembered(page, stack):
    height = "document.querySelector('#alerts-table tr[id^=srv-]').offsetHeight"
    usual = page.run(f"return {height}")
    page.help()
    page.all("#help label")[1].click()
    page.end_help()
    compact = page.run(f"return {height}")
    assert compact < usual
    page.open(stack.url("/"))
    assert page.run(f"return {height}") == compact


def test_columns_are_hidden_by_the_address_at_every_width(page, stack):
    for width in (1440, 800, 360):
        page.size(width, 900)
        page.open(stack.url("/?hide=profile,io"))
        shown = page.run(
            "return [...document.querySelector('#alerts-table tr[id^=srv-]').cells].map(c => c.checkVisibility())"
        )
        assert shown == [True, True, False, True] + [True] * 3 + [False] * 3 + [True] * 3
        assert page.page_width() <= width
    page.size(1440, 900)


def test_head_and_status_stay_in_sight(page, stack):
    page.open(stack.url("/?sev=healthy-up"))
    page.run("document.querySelector('#alerts-table').scrollIntoView(); scrollBy(0, 900)")
    top = "document.querySelector(arguments[0]).getBoundingClientRect().top"
    head = page.run(f"return {top}", "#alerts-table thead th")
    bar = page.run("return document.querySelector('header').getBoundingClientRect().bottom")
    assert 0 <= bar <= head + 1 < 120
    assert page.run(f"return {top}", "#badge") >= 0
    # A link into the page leads below both.
    page.run("location.hash = ''; location.hash = '#' + document.querySelectorAll('#alerts-table tr[id^=srv-]')[30].id")
    assert page.run("return document.querySelectorAll('#alerts-table tr[id^=srv-]')[30].getBoundingClientRect().top") >= bar


def test_the_name_stays_beside_wide_tables(page, stack):
    page.size(720, 900)
    page.open(stack.url("/"))
    box = "document.querySelector('#alerts-table').parentElement"
    assert "more columns" in page.run("return getComputedStyle(document.querySelector('#alerts-table caption'), '::after').content")
    page.run(f"{box}.scrollLeft = 400")
    left = page.run("return document.querySelector('#alerts-table tbody th').getBoundingClientRect().left")
    assert left >= page.run(f"return {box}.getBoundingClientRect().left") - 1
    assert page.run(f"return [{box}.tabIndex, {box}.getAttribute('role')]") == [0, "region"]
    assert page.findings() == []
    page.size(1440, 900)


def test_what_is_silent_is_not_printed_over_its_neighbour(page):
    """As if every server were silent."""
    page.run(
        "for (const cell of document.querySelectorAll('#alerts-table tbody th'))"
        "  cell.insertAdjacentHTML('beforeend', ' <small class=silent>silent since 12:00:05 UTC</small>')"
    )
    over = page.run(
        "return [...document.querySelectorAll('#alerts-table tr[id^=srv-]')].filter(r => Math.max(...[...r.cells[1].children]"
        "  .map(c => c.getBoundingClientRect().right)) > r.cells[2].getBoundingClientRect().left + 1).length"
    )
    assert over == 0
