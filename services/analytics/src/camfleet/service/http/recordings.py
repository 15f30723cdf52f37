"""Clips and pictures of a camera's recording: capture has them, and answers only this machine."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

import httpx
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
        self._client: httpx.AsyncClient | None = None  # one for all: its TLS takes 20 ms to set up

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/v1/cameras/{name}/clip", self.pass_on),
            Route("/v1/cameras/{name}/snapshot.jpg", self.pass_on),
        ]

    async def close(self) -> None:
        """Close the connections to capture."""
        if self._client is not None:
            await self._client.aclose()

    async def pass_on(self, request: Request) -> Response:
        """What capture answers, as it comes."""
        if not self._capture:
            return JSONResponse({"error": "this fleet has no capture (CAMFLEET_CAPTURE)"}, 404)
        what = request.url.path.rpartition("/")[2]
        path = f"/cameras/{quote(request.path_params['name'])}/{what}"
        wanted = {key: v for key, v in request.query_params.items() if key in _ASKED}
        try:
            answer = await self._ask(path, wanted)
        except httpx.HTTPError as error:
            reason = f"capture does not answer ({error or type(error).__name__})"
            return JSONResponse({"error": reason}, 502)
        headers = _headers_of(answer)
        return StreamingResponse(_body_of(answer), answer.status_code, headers)

    async def _ask(self, path: str, wanted: Mapping[str, str]) -> httpx.Response:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=TIMEOUT_S, headers=self._headers, trust_env=False
            )
        asked = self._client.build_request("GET", self._capture + path, params=wanted)
        return await self._client.send(asked, stream=True)


async def _body_of(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The bytes as they come; the connection is free again also when the reader leaves early."""
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


def _headers_of(answer: httpx.Response) -> dict[str, str]:
    """What is not recorded yet may be in a moment: only what is there is kept by a browser."""
    kept = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    lasts = "private, max-age=300" if answer.is_success else "no-store"
    return kept | {"cache-control": lasts}
