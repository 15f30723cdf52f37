"""Clips and pictures of a camera's recording: capture has them, and answers only this machine."""

from collections.abc import Mapping
from urllib.parse import quote

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

TIMEOUT_S = 30.0  # cutting ten minutes out of files takes a moment
_PASSED_ON = ("content-type", "content-length", "content-disposition", "x-clip-from", "x-clip-to")
_ASKED = ("from", "to", "at")


class RecordingRoutes:
    """/v1/cameras/<name>/clip and /v1/cameras/<name>/snapshot.jpg, as docs/capture.md has them."""

    def __init__(self, capture: str, key: str) -> None:
        """`capture` is the address of capture's HTTP side; empty when there is none."""
        self._capture, self._headers = capture, {"x-api-key": key}

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/v1/cameras/{name}/clip", self.pass_on),
            Route("/v1/cameras/{name}/snapshot.jpg", self.pass_on),
        ]

    async def pass_on(self, request: Request) -> Response:
        """What capture answers, as it comes."""
        if not self._capture:
            return JSONResponse({"error": "this fleet has no capture (CAMFLEET_CAPTURE)"}, 404)
        what = request.url.path.rpartition("/")[2]
        path = f"/cameras/{quote(request.path_params['name'])}/{what}"
        wanted = {key: v for key, v in request.query_params.items() if key in _ASKED}
        client = httpx.AsyncClient(timeout=TIMEOUT_S, headers=self._headers, trust_env=False)
        try:
            asked = client.build_request("GET", self._capture + path, params=wanted)
            answer = await client.send(asked, stream=True)
        except httpx.HTTPError as error:
            await client.aclose()
            reason = f"capture does not answer ({error or type(error).__name__})"
            return JSONResponse({"error": reason}, 502)

        async def close() -> None:
            await answer.aclose()
            await client.aclose()

        headers, closing = _headers_of(answer.headers), BackgroundTask(close)
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, headers, background=closing
        )


def _headers_of(headers: Mapping[str, str]) -> dict[str, str]:
    kept = {name: headers[name] for name in _PASSED_ON if name in headers}
    return kept | {"cache-control": "private, max-age=300"}
