"""Pictures of the page on its mock (`npm run dev` in its folder): python tests/browser/pictures.py FOLDER [PORT]."""

import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OUT = Path(sys.argv[1])
URL = f"http://127.0.0.1:{sys.argv[2] if len(sys.argv) > 2 else 8700}/"


def thread(page: Page) -> None:
    page.get_by_test_id("thread-summary").first.click()
    page.get_by_test_id("thread-pane").wait_for()


def modal(page: Page) -> None:
    page.get_by_test_id("shortcut-migrate").click()
    page.get_by_test_id("modal").wait_for()
    page.get_by_test_id("modal").get_by_test_id("block-menu").first.click()
    page.get_by_test_id("menu-option").first.wait_for()


def modal_errors(page: Page) -> None:
    page.keyboard.press("Escape")
    page.get_by_test_id("modal-submit").click()


def suggestions(page: Page) -> None:
    page.get_by_test_id("composer").first.fill("/")
    page.get_by_test_id("suggestion").first.wait_for()


def people(page: Page) -> None:
    page.get_by_test_id("user-switch").click()


def home(page: Page) -> None:
    page.get_by_test_id("home-entry").click()


def inspector(page: Page) -> None:
    page.get_by_test_id("tab-inspector").click()
    page.locator("[data-testid=inspector] summary").nth(1).click()


def confirm(page: Page) -> None:
    page.locator("[data-testid=block-button][data-action-id='cm.approve']").first.click()
    page.get_by_test_id("confirm-yes").wait_for()


def hover(page: Page) -> None:
    page.locator("[data-testid=message]").nth(2).hover()


def top(page: Page) -> None:
    page.locator(".message-list").first.evaluate("box => box.scrollTo(0, 0)")


def breakage(page: Page) -> None:
    page.locator(".switches").evaluate("box => box.scrollIntoView()")


SHOTS: dict[str, Callable[[Page], None]] = {
    "channel": lambda _page: None,
    "top": top,
    "hover": hover,
    "thread": thread,
    "suggestions": suggestions,
    "people": people,
    "home": home,
    "confirm": confirm,
    "modal": modal,
    "inspector": inspector,
    "switches": breakage,
}


def shoot(browser: Browser, size: tuple[int, int], theme: str, only: set[str]) -> None:
    for name, arrange in SHOTS.items():
        if only and name not in only:
            continue
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
        context.set_default_timeout(3000)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.goto(URL)
        page.get_by_test_id("message").first.wait_for()
        try:
            arrange(page)
        except Exception as error:  # noqa: BLE001 - a picture of the failure is worth more
            said.append(f"{error}"[:300])
        page.wait_for_timeout(250)
        page.screenshot(path=OUT / f"{name}-{size[0]}-{theme}.png")
        for line in said:
            print(f"{name}-{size[0]}-{theme}: {line}")
        context.close()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    only = set(sys.argv[3:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for size in ((1440, 900), (1000, 700)):
            for theme in ("light", "dark"):
                shoot(browser, size, theme, only)
        browser.close()


main()
