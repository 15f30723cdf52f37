"""How long somebody who opens the page in Chromium waits: for a picture, or over a slow line."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
PATIENCE_S = 60
# Milliseconds from the navigation to the first frame that was painted.
WATCH = """
window.firstPicture = new Promise((resolve) => {
  const look = new MutationObserver(() => {
    const video = document.querySelector('video');
    if (!video) return;
    look.disconnect();
    video.requestVideoFrameCallback((painted) => resolve(painted));
  });
  look.observe(document, { childList: true, subtree: true });
});
"""
SLOW_LINE = {
    "offline": False,
    "latency": 300,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
}
# Milliseconds from the navigation to the first tile of the wall.
TILE = """
const done = arguments[0];
const look = () => {
  if (document.querySelector('.tile')) done(performance.now());
  else requestAnimationFrame(look);
};
look();
"""
WAIT = "const done = arguments[0]; window.firstPicture.then(done);"


def first_pictures_ms(page: str, login: str, openings: int) -> list[float]:
    """Log in by the link, then open the wall so often; each wait. Empty without Chromium."""
    if not is_there():
        return []
    with _tab() as tab:
        tab.get(login)
        tab.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        return [_opening_ms(tab, page, WAIT) for _ in range(openings)]


def first_visits_ms(page: str, login: str, openings: int) -> list[float]:
    """Waits for the wall's first tile over 400 kbit/s and 300 ms, with nothing kept from before."""
    if not is_there():
        return []
    with _tab() as tab:
        tab.get(login)
        tab.execute_cdp_cmd("Network.enable", {})
        tab.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        tab.execute_cdp_cmd("Network.emulateNetworkConditions", SLOW_LINE)
        return [_opening_ms(tab, page, TILE) for _ in range(openings)]


def is_there() -> bool:
    """Whether Chromium can be driven here."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


@contextmanager
def _tab() -> Iterator[webdriver.Chrome]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        tab = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            tab.set_script_timeout(PATIENCE_S)
            yield tab
        finally:
            tab.quit()


def _opening_ms(tab: webdriver.Chrome, page: str, wait: str) -> float:
    tab.get("about:blank")  # nobody watches: the stream to copy begins anew
    tab.get(page)
    return float(tab.execute_async_script(wait))
