"""The whole way in a real browser: log in, sell, key the token in, watch the credit go.

The server runs in this process with a clock of the test's own, so hours pass without waiting.
Set ``STS_SCREENSHOTS`` to a folder to get pictures of the pages.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright
from werkzeug.serving import make_server

from tests.conftest import Require
from tests.vending_app.helpers import MILL, NEEMA, NOW, PIETER, SetClock
from vending_app import create_app
from vending_app.demo import prepare_demo
from vending_app.demo_story import DEMO_PASSWORD
from vending_app.web.context import EXTENSION

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium(require: Require) -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        require("browser", "no chromium on the path")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except Error as error:
            require("browser", str(error))
        yield browser
        browser.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def address(tmp_path: Path, clock: SetClock) -> Iterator[str]:
    """The demo, served on a free port."""
    app = create_app(prepare_demo(tmp_path / "data", {}, now=NOW), clock=clock)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    app.extensions[EXTENSION].close()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A window that fails the test when a script fails or the content policy is broken."""
    context = chromium.new_context(base_url=address, viewport={"width": 1100, "height": 900})
    window = context.new_page()
    faults: list[str] = []
    window.on("pageerror", lambda error: faults.append(str(error)))
    window.on(
        "console",
        lambda message: faults.append(message.text) if message.type == "error" else None,
    )
    yield window
    context.close()
    assert not faults


def _log_in(page: Page, login: str) -> None:
    page.goto("/")
    page.get_by_label("Operator").fill(login)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="Sell", exact=True)).to_be_visible()


def _sell(page: Page, meter: str, amount: str) -> str:
    """Sell and return the token as it stands on the page of the sale."""
    page.goto("/sell")
    page.get_by_label("Meter number").fill(meter)
    page.get_by_label("Amount tax included").fill(amount)
    page.get_by_role("button", name="Show what it buys").click()
    page.get_by_role("button", name=re.compile("issue the token")).click()
    token = page.locator(".token").inner_text()
    assert re.fullmatch(r"\d{4}( \d{4}){4}", token)
    return token


def _enter(page: Page, token: str) -> None:
    page.get_by_label("Token 20 digits").fill(token)
    page.get_by_role("button", name="Enter token").click()


def _picture(page: Page, name: str) -> None:
    folder = os.environ.get("STS_SCREENSHOTS")
    if folder:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_the_first_sale_from_log_in_to_the_last_kilowatt_hour(page: Page, clock: SetClock) -> None:
    _log_in(page, "zanele@thabaneng")
    token = _sell(page, PIETER, "20")
    receipt = page.locator(".receipt")
    for shown in ("5.9 kWh", "VAT 15 %", "2.61", "17.39", "Pieter Mokoena", "SAMPLE tables"):
        expect(receipt).to_contain_text(shown)
    expect(receipt).to_contain_text(re.compile(r"ZAR\s20\.00"))
    _picture(page, "first-sale")

    page.get_by_role("link", name="Go to this meter").click()
    expect(page.locator("#relay")).to_have_text("Relay open")
    _enter(page, token)
    expect(page.locator("#credit")).to_have_text("5.900 kWh")
    expect(page.locator("#answer")).to_have_text("Accepted. 5.9 kWh added.")
    expect(page.locator("#relay")).to_have_text("Relay closed")

    page.get_by_role("button", name=re.compile("Kettle")).click()
    clock.pass_time(hours=1)
    # Nobody reloads the page: it asks for itself.
    expect(page.locator("#credit")).to_have_text("3.900 kWh")
    _picture(page, "meter-page")
    clock.pass_time(hours=2)
    expect(page.locator("#credit")).to_have_text("0.000 kWh")
    expect(page.locator("#relay")).to_have_text("Relay open")
    expect(page.locator("#supply")).to_contain_text("The credit is used up")

    _enter(page, token)
    expect(page.locator("#answer")).to_have_text("This token has been used already.")
    expect(page.locator("#credit")).to_have_text("0.000 kWh")


def test_a_token_for_another_meter_is_refused(page: Page) -> None:
    _log_in(page, "rehema@mwanga")
    token = _sell(page, NEEMA, "5000")
    page.goto(f"/lab/meters/{MILL}")
    _enter(page, token)
    expect(page.locator("#answer")).to_have_text("Wrong digits, or a token for another meter.")
    expect(page.locator("#relay")).to_have_text("Relay open")


def test_the_keys_of_the_keypad_type_and_the_clock_runs(page: Page, clock: SetClock) -> None:
    _log_in(page, "rehema@mwanga")
    token = _sell(page, MILL, "13000")
    page.get_by_role("link", name="Go to this meter").click()
    for digit in f"7{token}".replace(" ", "")[:3]:
        page.get_by_role("button", name=digit, exact=True).click()
    for _ in range(3):
        page.get_by_role("button", name="Delete the last digit").click()
    for digit in token.replace(" ", ""):
        page.get_by_role("button", name=digit, exact=True).click()
    expect(page.get_by_label("Token 20 digits")).to_have_value(token)
    page.get_by_role("button", name="Enter", exact=True).click()
    expect(page.locator("#credit")).to_have_text("10.000 kWh")
    page.get_by_role("button", name=re.compile("Stove")).click()
    page.get_by_role("button", name="3600×", exact=True).click()
    clock.pass_time(seconds=1)
    expect(page.locator("#credit")).to_have_text("4.000 kWh")


def test_selling_works_without_scripts(chromium: Browser, address: str) -> None:
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    _log_in(page, "zanele@thabaneng")
    token = _sell(page, PIETER, "100")
    page.get_by_role("link", name="Go to this meter").click()
    _enter(page, token)
    expect(page.locator("#credit")).to_have_text("29.200 kWh")
    context.close()


def test_pages_fit_a_small_screen(chromium: Browser, address: str) -> None:
    context = chromium.new_context(base_url=address, viewport={"width": 360, "height": 740})
    page = context.new_page()
    _log_in(page, "zanele@thabaneng")
    _sell(page, PIETER, "20")
    _picture(page, "small-sale")
    for path in ("/sell", "/sales", "/meters", f"/lab/meters/{PIETER}"):
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, path
    _picture(page, "small-meter")
    context.close()
