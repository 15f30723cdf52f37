"""Save the pictures of the page that docs show.

`PYTHONPATH=tests python tests/analytics/take_screenshots.py URL FOLDER`; URL is the login link that
`camfleet url` prints. The fleet should have counted for some minutes, and record its first camera.
"""

import base64
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from browser import Browser, chromium

DESK, PHONE = (1280, 860), (390, 844)
SHOWN_SIZE = 1000  # pixels of a picture's width in the docs
ENOUGH_BOXES_AND_EVENTS_S = 12
QUALITY = 84


def main(address: str, folder: str) -> None:
    """Log in once, then look at one view after the other."""
    with chromium() as browser:
        browser.open(address)
        browser.wait_for_text("#who", "(admin)", timeout_s=60)
        camera = str(browser.ask("document.querySelector('.tile-name').textContent"))
        editor, events = f"camera/{camera}?edit=1", f"events?camera={camera}&event=line_crossed"
        desk = {
            "page": taken(browser, "", DESK),
            "page-editor": taken(browser, editor, DESK),
            "page-events": taken(browser, events, DESK, "dark"),
        }
        phone = [
            taken(browser, "", PHONE),
            taken(browser, editor, PHONE, "dark"),
            taken(browser, events, PHONE),
            taken(browser, f"cameras/{camera}", PHONE),
        ]
    for name, picture in desk.items():
        save(Path(folder) / f"{name}.webp", picture)
    save(Path(folder) / "page-phone.webp", side_by_side(phone))


def taken(
    browser: Browser, view: str, size: tuple[int, int], scheme: str = "light"
) -> NDArray[np.uint8]:
    """The view on a screen of this size, once it shows what it is about."""
    browser.resize(*size)
    browser.prefer(color_scheme=scheme)
    browser.ask(f"void (location.hash = '#/{view}')")
    browser.wait_for(f"document.querySelector('#view').dataset.view === '{named(view)}'")
    browser.ask("void scrollTo(0, 0)")
    wait_for_contents(browser, view)
    answer = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    data = np.frombuffer(base64.b64decode(answer["data"]), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def named(view: str) -> str:
    return view.partition("?")[0].partition("/")[0] or "wall"


def wait_for_contents(browser: Browser, view: str) -> None:
    if view.startswith("cameras"):
        browser.wait_for("document.querySelector('.form [name=source]')?.value", 60)
    elif view.startswith("events"):
        seen = "[...document.querySelectorAll('.thumbnail img')].filter((i) => i.naturalWidth)"
        browser.wait_for(f"{seen}.length > 4", 60)
        browser.ask(f"void {seen}[0].closest('.event-row').click()")
        browser.wait_for("document.querySelector('.clip video')?.currentTime > 1", 60)
    else:
        browser.wait_for("document.querySelector('video')?.currentTime > 2", 60)
        threading.Event().wait(ENOUGH_BOXES_AND_EVENTS_S)


def side_by_side(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The pictures in a row, a grey gap between them."""
    gap = np.full((pictures[0].shape[0], 12, 3), 128, np.uint8)
    row = [part for picture in pictures for part in (gap, picture)][1:]
    return np.hstack(row)


def save(target: Path, picture: NDArray[np.uint8]) -> None:
    """Write it in the size that docs show."""
    high = round(picture.shape[0] * SHOWN_SIZE / picture.shape[1])
    shown = cv2.resize(picture, (SHOWN_SIZE, high), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(target), shown, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


if __name__ == "__main__":
    main(*sys.argv[1:])
