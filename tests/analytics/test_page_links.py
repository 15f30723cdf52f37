"""What the page names when it is opened: on a slow line each later question is a wait."""

import re
from pathlib import Path

import httpx
import pytest

from browser import Browser
from camfleet.web.page import FOLDER, show_html
from camfleet.web.page_links import imported
from page_steps import log_in
from running_app import RunningApp


def test_every_script_is_named_before_anything_imports_it() -> None:
    html = bytes(show_html("index.html").body).decode()
    named = re.findall(r'rel="modulepreload" href="/static/@\w+/([\w./-]+)"', html)
    assert named == sorted(set(named), key=named.index)
    assert named[:1] == ["js/base/api.js"]
    behind = {path for name in named for path in imported((FOLDER / name).resolve())}
    assert {path.relative_to(FOLDER.resolve()).as_posix() for path in behind} <= set(named)


def test_imports_are_followed_to_their_end(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        'import {\n  b,\n} from "./b.js";\nconst late = import("./d.js");'
    )
    (tmp_path / "b.js").write_text('import "./c.js";\nimport { a } from "./a.js";')
    (tmp_path / "c.js").write_text('export { b } from "./b.js";')
    assert [path.name for path in imported(tmp_path / "a.js")] == ["b.js", "c.js"]


@pytest.mark.parametrize("page", ["index", "login", "panel"])
def test_a_page_has_one_style_sheet_with_all_of_its_own(page_app: RunningApp, page: str) -> None:
    html = bytes(show_html(f"{page}.html").body).decode()
    [path] = re.findall(r'rel="stylesheet" href="([^"]+)"', html)
    sheet = httpx.get(page_app.address + path, timeout=60)
    assert sheet.headers["content-type"].startswith("text/css")
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    names = re.findall(r'"/static/(css/[\w-]+\.css)"', (FOLDER / f"{page}.html").read_text())
    assert sheet.text == "".join((FOLDER / name).read_text() for name in names)


def test_style_sheets_of_no_page_are_not_found(page_app: RunningApp) -> None:
    assert httpx.get(f"{page_app.address}/static/@0/nowhere.css", timeout=60).status_code == 404


@pytest.mark.browser
def test_an_opened_wall_asks_for_nothing_the_page_does_not_name(
    browser: Browser, page_app: RunningApp
) -> None:
    log_in(browser, page_app, "viewer")
    fetched = browser.ask(
        "performance.getEntriesByType('resource').map(({ name }) => name)"
        ".filter((name) => /[.](js|css)$/.test(name))"
    )
    named = browser.ask(
        "[...document.head.querySelectorAll('[rel=modulepreload], [rel=stylesheet], script')]"
        ".map(({ href, src }) => href ?? src)"
    )
    browser.open("about:blank")
    assert sorted(fetched) == sorted(named)
