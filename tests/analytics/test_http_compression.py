"""Which answers are compressed: on a slow line the page asks for its state every two seconds."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from camfleet.web.page import COMPRESSED
from fakes_page import served
from running_app import RunningApp, running_app
from test_past_events import crossing


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("answers")) as app:
        for number in range(9):
            app.journal.append(crossing(number))
        yield app


@pytest.mark.parametrize(
    "path", ["/", "/static/js/live/overlay.js", "/v1/status", "/v1/events", "/metrics"]
)
def test_long_texts_are_compressed_for_who_takes_that(app: RunningApp, path: str) -> None:
    headers = {"x-api-key": app.key}
    answer = httpx.get(app.address + path, headers=headers, timeout=60)
    assert answer.headers["content-encoding"] == "gzip"
    plain = headers | {"accept-encoding": "identity"}
    assert "content-encoding" not in httpx.get(app.address + path, headers=plain).headers


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "image/png", "video/mp4", "multipart/x-mixed-replace; boundary=x"]
)
def test_pictures_and_films_are_sent_as_they_are(kind: str) -> None:
    def show(_: Request) -> Response:
        return Response(b"x" * 9000, media_type=kind)

    with served(Starlette(routes=[Route("/", show)], middleware=[COMPRESSED])) as address:
        assert "content-encoding" not in httpx.get(address, timeout=60).headers
