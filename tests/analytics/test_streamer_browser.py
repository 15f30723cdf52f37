"""What a script shows, in a real browser: on a page of its own and beside the fleet's cameras."""

from pathlib import Path

import numpy as np
import pytest

from browser import Browser
from camfleet import Streamer
from running_app import running_app

pytestmark = pytest.mark.browser

PICTURE = np.full((90, 160, 3), (40, 160, 220), np.uint8)
SHOWN = "document.querySelector('#panels img')?.naturalWidth === 160"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_PORT", "0")
    monkeypatch.setenv("CAMFLEET_STATE", str(tmp_path / "state"))


def test_own_page_shows_the_picture_and_its_button_stops_the_script(browser: Browser) -> None:
    with Streamer(name="counter") as streamer:
        streamer.send_data(PICTURE, ["people: 2", "fps: 7.5"])
        browser.open(streamer.address)
        browser.wait_for(SHOWN)
        browser.wait_for_text("#panels .panel-text", "people: 2\nfps: 7.5")
        browser.ask("document.querySelector('.panel-stop').click()")
        streamer.wait()
        assert streamer.check_exit()
        assert browser.complaints() == []


def test_fleets_page_shows_the_script_while_it_runs(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_app(tmp_path) as fleet:
        monkeypatch.setenv("STREAMER_PORT", str(fleet.port))
        monkeypatch.setenv("CAMFLEET_API_KEY", fleet.key)
        browser.open(f"{fleet.address}/login?token={fleet.keys.new_login()}")
        browser.wait_for("document.querySelector('#wall') !== null")
        with Streamer(name="counter") as streamer:
            streamer.send_data(PICTURE, "one person")
            browser.wait_for(SHOWN)
            assert browser.text("#panels .tile-name") == "counter"
        browser.wait_for("document.querySelector('#panels').children.length === 0")
