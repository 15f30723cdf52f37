"""What one camera has seen over time: counts by interval, and where its objects were."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.service.events.journal import Journal
from camfleet.service.fleet import PipelineFleet
from camfleet.service.interval_counts import KEPT_MINUTES, MINUTE_S


class InsightRoutes:
    """/v1/cameras/<name>/counts and /v1/cameras/<name>/heatmap.png."""

    def __init__(self, fleet: PipelineFleet, journal: Journal) -> None:
        self._fleet, self._journal = fleet, journal

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/v1/cameras/{name}/counts", self.counts),
            Route("/v1/cameras/{name}/heatmap.png", self.heat_map),
        ]

    async def counts(self, request: Request) -> Response:
        """Counts of lines and zones by interval; `?interval=` in seconds, a multiple of 60."""
        pipeline = self._fleet.pipelines.get(request.path_params["name"])
        if pipeline is None:
            return _unknown(request)
        interval_s = _interval(request.query_params.get("interval", str(MINUTE_S)))
        if interval_s is None:
            reason = f"interval: use a multiple of {MINUTE_S} up to {KEPT_MINUTES * MINUTE_S}"
            return JSONResponse({"error": reason}, 400)
        intervals = self._journal.intervals(pipeline.camera.name, interval_s)
        answer = {"camera": pipeline.camera.name, "interval": interval_s, "intervals": intervals}
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    async def heat_map(self, request: Request) -> Response:
        """A transparent picture to lay over the camera's."""
        pipeline = self._fleet.pipelines.get(request.path_params["name"])
        if pipeline is None:
            return _unknown(request)
        png = await run_in_threadpool(pipeline.heat.to_png)
        return Response(png, media_type="image/png", headers={"cache-control": "no-store"})


def _unknown(request: Request) -> Response:
    reason = f"camera '{request.path_params['name']}' is not in cameras.yaml; see /v1/cameras"
    return JSONResponse({"error": reason}, status_code=404)


def _interval(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() else 0
    is_usable = 0 < number <= KEPT_MINUTES * MINUTE_S and number % MINUTE_S == 0
    return number if is_usable else None
