"""Save a picture of a running page: `take_screenshot.py URL TARGET.webp [WIDTH HEIGHT [dark]]`.

URL is the login link that `camfleet url` prints.
"""

import base64
import sys
import threading
from pathlib import Path

from browser import chromium

ENOUGH_BOXES_AND_EVENTS_S = 40


def main(
    address: str, target: str, width: str = "1280", height: str = "860", scheme: str = "light"
) -> None:
    """Wait until the page shows what it is about, then take the picture."""
    with chromium() as browser:
        browser.resize(int(width), int(height))
        browser.prefer(color_scheme=scheme)
        browser.open(address)
        browser.wait_for("document.querySelector('video')?.currentTime > 2", timeout_s=60)
        threading.Event().wait(ENOUGH_BOXES_AND_EVENTS_S)
        settings = {"format": "webp", "quality": 84}
        answer = browser.driver.execute_cdp_cmd("Page.captureScreenshot", settings)
        Path(target).write_bytes(base64.b64decode(answer["data"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
