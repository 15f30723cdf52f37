"""The files of the web page, as they are in the package."""

import os
from pathlib import Path

from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import camfleet

FOLDER = Path(camfleet.__file__).parent / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self' ws: wss:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_ABSENT = "<!doctype html><title>camfleet</title><p>The page is not installed; see /v1/status."


def show_html(name: str, status: int = 200) -> Response:
    """One HTML file of the page with its security headers."""
    path = FOLDER / name
    text = path.read_text() if path.is_file() else _ABSENT
    return HTMLResponse(text, status_code=status, headers=_HEADERS)


class PageFiles(StaticFiles):
    """Scripts and styles; a browser asks each time, so an update is never half of it."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER, check_dir=False)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, or 304 where the browser has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        return response
