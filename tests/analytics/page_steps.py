"""What somebody does on the page in Chromium."""

import json

from browser import Browser
from camfleet_contracts.cameras_file import read_cameras
from running_app import RunningApp

VIEWS = ("", "camera/door", "events", "models", "cameras", "cameras/new", "health")


def log_in(browser: Browser, app: RunningApp, role: str) -> None:
    browser.open(f"{app.address}/login?token={app.keys.new_login(role)}")  # type: ignore[arg-type]
    browser.wait_for_text("#who", f"({role})", timeout_s=60)


def go(browser: Browser, view: str) -> None:
    browser.ask(f"void (location.hash = '#/{view}')")
    wanted = view.partition("/")[0].partition("?")[0] or "wall"
    browser.wait_for(f"document.querySelector('#view').dataset.view === '{wanted}'")
    browser.wait_for("document.querySelector('#view h1')?.textContent")


def press(browser: Browser, words: str) -> None:
    """Activate the button with these words as the keyboard does: without a place."""
    script = f"[...document.querySelectorAll('button')].find((b) => b.textContent === '{words}')"
    browser.wait_for(f"{script}?.checkVisibility() && !{script}.disabled")
    browser.ask(f"{script}.click()")


def edit(browser: Browser) -> None:
    go(browser, "camera/door")
    press(browser, "Edit lines and zones")
    browser.wait_for("document.querySelector('.drawing-area .handle')")


def open_form(browser: Browser) -> None:
    go(browser, "cameras/door")
    browser.wait_for("document.querySelector('.form [name=source]')?.value")


def names_in(app: RunningApp) -> list[str]:
    [camera] = read_cameras(app.file, app.settings).cameras
    lines, zones = camera.pipeline.lines, camera.pipeline.zones
    return [line.name for line in lines] + [zone.name for zone in zones]


def fill(browser: Browser, fields: dict[str, str]) -> None:
    """Type into fields of the form by their names."""
    for name, text in fields.items():
        value, selector = json.dumps(text), json.dumps(f".form [name='{name}']")
        browser.ask(f"void (document.querySelector({selector}).value = {value})")


def faults(browser: Browser) -> dict[str, str]:
    """Words of each marked field by its name, as a screen reader hears them."""
    found: dict[str, str] = browser.ask(
        "Object.fromEntries([...document.querySelectorAll('.form [aria-invalid]')].map((input) =>"
        " [input.name, document.getElementById(input.getAttribute('aria-describedby')"
        ".split(' ')[0]).textContent]))"
    )
    return found
