"""/v1/advice: what `camfleet camera advise` says of the fleet, asked from the page."""

import asyncio
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.service.http.changes import Changes, Refused
from camfleet_contracts.settings import FleetSettings

SECONDS = 8.0


class AdviceRoutes:
    """A look reads every camera once more and takes some seconds, so there is one at a time."""

    def __init__(self, settings: FleetSettings, changes: Changes) -> None:
        self._settings, self._changes, self._busy = settings, changes, asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        answer = self._changes.only_admins("look for advice", self.advise)
        return [Route("/v1/advice", answer, methods=["POST"])]

    async def advise(self, request: Request) -> Response:
        """Costs and advice of every camera, after some seconds."""
        request.state.subject = "all cameras"
        if self._busy.locked():
            raise Refused(HTTPStatus.CONFLICT, "somebody looks already; ask again in a moment")
        async with self._busy:
            return JSONResponse(await run_in_threadpool(self._look))

    def _look(self) -> dict[str, object]:
        # Here, since no service needs them to run.
        from camfleet.cli.advice.looking import document, look  # noqa: PLC0415
        from camfleet.cli.errors import CommandError  # noqa: PLC0415

        try:
            return document(look(self._settings, None, SECONDS, lambda _: None))
        except CommandError as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
