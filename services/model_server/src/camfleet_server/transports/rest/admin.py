"""What operators ask over REST: states with reasons, reload, manifests, metrics, health."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from camfleet_contracts.clock import rfc3339
from camfleet_server.errors import ReloadFailed
from camfleet_server.metrics import CONTENT_TYPE, ServerMetrics
from camfleet_server.serving.load_log import LoadRecord
from camfleet_server.transports.rest.bodies import Body
from camfleet_server.transports.rest.calls import version_in, with_body
from camfleet_server.transports.rest.tfs import statuses_json
from camfleet_server.transports.served import Served

_METRICS_OFF = "metrics are off; --metrics_enable or monitoring.metrics in config.json has it so"


class AdminRoutes:
    """/v1/config, manifests, /metrics and the health paths in front of the data plane."""

    def __init__(self, served: Served, metrics: ServerMetrics) -> None:
        self._served = served
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/config", self.config),
            Route("/v1/config/loads", self.loads),
            Route("/v1/config/reload", with_body(self.reload, is_control=True), methods=["POST"]),
            Route("/v1/models/{model}/manifest", self.manifest),
            Route("/v1/models/{model}/versions/{version}/manifest", self.manifest),
            Route("/metrics", self.metrics),
            Route("/healthz", self.health),
            Route("/readyz", self.ready),
        ]

    async def config(self, _: Request) -> Response:
        """Tell the state of every version of every model, with the reason when it has one."""
        return JSONResponse(self._states())

    async def loads(self, _: Request) -> Response:
        """Tell what was loaded, unloaded or refused last, newest first."""
        return JSONResponse({"loads": [_load_json(record) for record in self._served.last_loads()]})

    def reload(self, _: Request, __: Body) -> Response:
        """Bring what is served in line now: 201 when that changed something, 200 when not."""
        try:
            changed = self._served.reload()
        except ReloadFailed:
            self._metrics.count_reload("refused")
            raise
        self._metrics.count_reload("changed" if changed else "unchanged")
        return JSONResponse(self._states(), 201 if changed else 200)

    async def manifest(self, request: Request) -> Response:
        """Return model.json of a version; 304 to a client that has it already."""
        manifest = self._served.manifest(request.path_params["model"], version_in(request))
        headers = {"etag": f'"{manifest.etag}"', "cache-control": "no-cache"}
        if _has_etag(request.headers.get("if-none-match", ""), manifest.etag):
            return Response(status_code=304, headers=headers)
        return Response(manifest.text, headers=headers, media_type="application/json")

    async def metrics(self, _: Request) -> Response:
        """Return the metrics in Prometheus's text format; 404 where they are switched off."""
        if not self._metrics.is_on:
            return JSONResponse({"error": _METRICS_OFF}, 404)
        return Response(self._metrics.exposition(), headers={"content-type": CONTENT_TYPE})

    async def health(self, _: Request) -> Response:
        """Answer as long as the process does."""
        return PlainTextResponse("ok")

    async def ready(self, _: Request) -> Response:
        """Answer 200 when requests are taken, 503 before; the faults are named in both."""
        is_ready = self._served.ready()
        content = {"ready": is_ready, "faults": list(self._served.faults())}
        return JSONResponse(content, 200 if is_ready else 503)

    def _states(self) -> dict[str, object]:
        statuses = self._served.all_statuses()
        return {name: statuses_json(versions) for name, versions in statuses.items()}


def _load_json(record: LoadRecord) -> dict[str, object]:
    return {
        "time": rfc3339(record.time),
        "model": record.model,
        "version": record.version,
        "outcome": record.outcome,
        "reason": record.reason or None,
        "took_s": None if record.took_s is None else round(record.took_s, 3),
    }


def _has_etag(header: str, etag: str) -> bool:
    candidates = {part.strip().removeprefix("W/").strip('"') for part in header.split(",")}
    return etag in candidates or "*" in candidates
