"""How long somebody who opens the page waits for its first picture, in Debian's Chromium."""

import shutil
import tempfile

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
WAIT = "const done = arguments[0]; window.firstPicture.then(done);"


def first_pictures_ms(page: str, login: str, openings: int) -> list[float]:
    """Log in by the link, then open the wall so often; each wait. Empty without Chromium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        return []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        tab = webdriver.Chrome(options=options, service=Service(driver))
        try:
            tab.set_script_timeout(PATIENCE_S)
            tab.get(login)
            tab.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
            return [_opening_ms(tab, page) for _ in range(openings)]
        finally:
            tab.quit()


def _opening_ms(tab: webdriver.Chrome, page: str) -> float:
    tab.get("about:blank")  # nobody watches: the stream to copy begins anew
    tab.get(page)
    return float(tab.execute_async_script(WAIT))
