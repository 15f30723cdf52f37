"""What the running fleet spent while one looked: two readings of its figures and the difference."""

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError

from prometheus_client.parser import text_string_to_metric_families

from camfleet.cli.errors import CommandError
from camfleet.cli.links import other_fleet, own_key
from camfleet.fleet_access import page_address
from camfleet_contracts.direct import read_service, server_rest_address
from camfleet_contracts.settings import FleetSettings

_TIMEOUT_S = 5.0
Figures = Mapping[tuple[str, str, str], float]  # metric, camera or model, stage or thread


@dataclass(frozen=True, slots=True)
class ServerCosts:
    """The model server in the same time. One request of a model is taken to cost all the same."""

    busy_ms_s: float
    inferences_s: Mapping[str, float]  # by model
    inference_ms: Mapping[str, float]  # in the runtime, by model

    def processor_ms(self, model: str) -> float | None:
        """Processor time of one inference: the model's share by its time in the runtime."""
        weights = {
            one: self.inferences_s[one] * self.inference_ms[one] for one in self.inferences_s
        }
        if not weights.get(model):
            return None
        share = weights[model] / sum(weights.values())
        return self.busy_ms_s * share / self.inferences_s[model]


@dataclass(frozen=True, slots=True)
class CameraCosts:
    """One camera; processor time in milliseconds a second, which is per mille of a core."""

    name: str
    settings: Mapping[str, Any]  # as /v1/cameras has them
    status: Mapping[str, Any]  # as /v1/status has it
    reader_ms_s: float
    decode_ms_s: float
    pipeline_ms_s: float
    decoded_s: float
    analysed_s: float
    asked_s: float
    still_s: float
    inference_ms: float | None  # processor time in the model server; None: not known

    @property
    def server_ms_s(self) -> float | None:
        """What the model server spends for it."""
        return None if self.inference_ms is None else self.inference_ms * self.asked_s

    @property
    def total_ms_s(self) -> float:
        """All that is known of it."""
        return self.reader_ms_s + self.pipeline_ms_s + (self.server_ms_s or 0.0)

    @property
    def frame_ms(self) -> float | None:
        """Processor time of one frame that the model is asked about, beside decoding."""
        if not self.asked_s or self.inference_ms is None:
            return None
        return self.pipeline_ms_s / max(self.analysed_s, self.asked_s) + self.inference_ms


@dataclass(frozen=True, slots=True)
class FleetCosts:
    """The fleet while one looked."""

    seconds: float
    cameras: tuple[CameraCosts, ...]
    server: ServerCosts | None


class Watch:
    """Reads the figures when it is made and again when it is asked."""

    def __init__(self, settings: FleetSettings) -> None:
        """Raises CommandError when analytics does not answer."""
        self._page = page_address(settings, settings.streamer_port)
        self._rest = server_rest_address(settings)
        self._settings, self._header = settings, own_key(settings)
        self._began_s = time.monotonic()
        self._analytics, self._server = self._read_both()

    def costs(self) -> FleetCosts:
        """What was spent since."""
        analytics, server = self._read_both()
        seconds = time.monotonic() - self._began_s
        spent = _rates(self._analytics, analytics, seconds)
        served = _server_costs(self._server, server, seconds)
        cameras = {one["name"]: one for one in self._get("/v1/status")["cameras"]}
        entries = {one["name"]: one for one in self._get("/v1/cameras")["cameras"]}
        known = [_camera(n, entries[n], cameras[n], spent, served) for n in cameras if n in entries]
        return FleetCosts(seconds, tuple(known), served)

    def _read_both(self) -> tuple[Figures, Figures | None]:
        analytics = _figures(self._read("/metrics").decode())
        try:
            server = read_service(f"{self._rest}/metrics", _TIMEOUT_S, self._header)
        except OSError:  # it may be on another machine that shows no figures
            return analytics, None
        return analytics, _figures(server.decode())

    def _get(self, path: str) -> Any:
        return json.loads(self._read(path))

    def _read(self, path: str) -> bytes:
        url = self._page + path
        try:
            return read_service(url, _TIMEOUT_S, self._header, is_here=True)
        except HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:
                raise other_fleet(self._settings, self._page) from error
            raise CommandError(f"analytics answers {url} with {error}") from error
        except OSError as error:
            reason = f"analytics does not answer at {url}: {error}; start it with: camfleet up"
            raise CommandError(reason) from error


def _figures(text: str) -> Figures:
    """Samples summed over the labels that do not matter here."""
    found: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for family in text_string_to_metric_families(text.replace("# TYPE ovms_requests", "# ovms")):
        for sample in family.samples:
            labels = sample.labels
            subject = labels.get("camera") or labels.get("name") or ""
            found[sample.name, subject, labels.get("stage") or labels.get("thread") or ""] += (
                sample.value
            )
    return found


def _rates(before: Figures, after: Figures, seconds: float) -> Figures:
    return defaultdict(float, {key: (after[key] - before.get(key, 0)) / seconds for key in after})


def _server_costs(
    before: Figures | None, after: Figures | None, seconds: float
) -> ServerCosts | None:
    if before is None or after is None:
        return None
    rates = _rates(before, after, seconds)
    counted = "ovms_inference_time_us_count"
    inferences = {model: rate for (name, model, _), rate in rates.items() if name == counted}
    spent_us = {model: rates["ovms_inference_time_us_sum", model, ""] for model in inferences}
    per = {model: spent_us[model] / 1000 / rate for model, rate in inferences.items() if rate}
    busy = rates["process_cpu_seconds_total", "", ""]
    return ServerCosts(1000 * busy, {model: inferences[model] for model in per}, per)


def _camera(
    name: str,
    entry: Mapping[str, Any],
    status: Mapping[str, Any],
    spent: Figures,
    server: ServerCosts | None,
) -> CameraCosts:
    model = status["model"]["name"]
    return CameraCosts(
        name=name,
        settings=entry,
        status=status,
        reader_ms_s=1000 * spent["camfleet_camera_processor_seconds_total", name, "reader"],
        decode_ms_s=1000 * spent["camfleet_camera_stage_seconds_total", name, "decode"],
        pipeline_ms_s=1000 * spent["camfleet_camera_processor_seconds_total", name, "pipeline"],
        decoded_s=spent["camfleet_frames_decoded_total", name, ""],
        analysed_s=spent["camfleet_frames_analysed_total", name, ""],
        asked_s=spent["camfleet_frames_asked_total", name, ""],
        still_s=spent["camfleet_frames_still_total", name, ""],
        inference_ms=None if server is None else server.processor_ms(model),
    )
