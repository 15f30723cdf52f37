"""The files of the web page, as they are in the package."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

import camfleet
from camfleet.web.page_links import joined_styles, linked

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
# Motion JPEG stays as it is, as pictures and films do; a stronger level costs more than it saves.
COMPRESSED = Middleware(
    GZipMiddleware,
    compresslevel=5,
    exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, "multipart/*"),
)
_MARK = "@"  # before the state of the files, in their path
_KEPT = "public, max-age=31536000, immutable"
_ABSENT = "<!doctype html><title>camfleet</title><p>The page is not installed; see /v1/status."


def show_html(name: str, status: int = 200) -> Response:
    """One HTML file of the page with its security headers; it names the files of its own state."""
    return HTMLResponse(_html(name, _state()), status_code=status, headers=_HEADERS)


def page_files() -> ASGIApp:
    """Scripts and styles."""
    styles = Route(f"/{_MARK}{{state}}/{{page}}.css", _styles)
    files = Mount("", _PageFiles(directory=FOLDER, check_dir=False))
    return Router([styles, files])


@lru_cache(maxsize=8)
def _html(name: str, state: str) -> str:
    path = FOLDER / name
    text = linked(path) if path.is_file() else _ABSENT
    return text.replace('"/static/', f'"/static/{_MARK}{state}/')


def _styles(request: Request) -> Response:
    path = FOLDER / f"{request.path_params['page']}.html"
    if not path.is_file():
        raise HTTPException(404)
    headers = {"cache-control": _KEPT, "x-content-type-options": "nosniff"}
    return Response(joined_styles(path), media_type="text/css", headers=headers)


def _state() -> str:
    """Another text once any file was changed."""
    paths = sorted(path for path in FOLDER.rglob("*.*") if path.is_file())
    states = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:12]


class _PageFiles(StaticFiles):
    """Kept by a browser below the state that its page names, so that it asks once a release.

    Asked for without a state, they are asked for each time.
    """

    def get_path(self, scope: Scope) -> str:
        """The path below the folder."""
        path = super().get_path(scope)
        state, _, rest = path.partition(os.sep)
        scope["camfleet_is_kept"] = state.startswith(_MARK)
        return rest if scope["camfleet_is_kept"] else path

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, or 304 where the browser has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = _KEPT if scope["camfleet_is_kept"] else "no-cache"
        return response
