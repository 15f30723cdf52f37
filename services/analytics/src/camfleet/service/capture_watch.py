"""Asks capture now and then how its cameras are, and demo scenes for their truth."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from camfleet.service.auto_cameras import PluggedIn

logger = logging.getLogger(__name__)

INTERVAL_S = 2.0
TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class CaptureView:
    """A snapshot of what capture told."""

    reason: str | None = "not asked yet"  # why it did not answer; None when it did
    cameras: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    truths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def plugged_in(self) -> PluggedIn:
        """The names of the cameras of each entry of cameras.yaml."""
        found: dict[str, tuple[str, ...]] = {}
        for name, state in self.cameras.items():
            entry = str(state.get("entry", name))
            found[entry] = (*found.get(entry, ()), name)
        return found


class CaptureWatch:
    """A thread that keeps `view` fresh; a capture that is away costs nothing but freshness."""

    def __init__(self, address: str, key: str, *listeners: Callable[[CaptureView], None]) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for each question
        self.listeners = [*listeners]
        self.view = CaptureView(reason=None if not address else "not asked yet")
        self._address = address
        self._client = httpx.Client(
            base_url=address, timeout=TIMEOUT_S, headers={"x-api-key": key}, trust_env=False
        )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture-watch", daemon=True)

    def plugged_in(self) -> PluggedIn | None:
        """The cameras of each entry of cameras.yaml; None while capture does not answer."""
        view = self.view
        return None if view.reason else view.plugged_in

    def start(self) -> None:
        """Begin to ask; does nothing where there is no capture."""
        if self._address:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_S + 1)
        self._client.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.take(self._ask())
            except Exception:  # the thread's border: a surprise must not end the watching
                logger.exception("capture could not be asked how its cameras are")
            self._stopped.wait(INTERVAL_S)

    def take(self, view: CaptureView) -> None:
        """Make a view the newest one, and tell the listeners."""
        self.view = view
        for listener in self.listeners:
            listener(view)

    def _ask(self) -> CaptureView:
        try:
            states = self._get("/cameras").get("cameras", [])
            cameras = {str(state["name"]): state for state in states}
            truths = {name: truth for name in cameras if (truth := self._truth(cameras[name]))}
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{self._address} does not answer ({error}); start it with: camfleet up"
            return CaptureView(reason)
        return CaptureView(None, cameras, truths)

    def _truth(self, camera: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if camera.get("source_kind") != "demo":
            return None
        try:
            return self._get(f"/cameras/{camera['name']}/truth")
        except (httpx.HTTPError, ValueError):
            return None

    def _get(self, path: str) -> dict[str, Any]:
        response = self._client.get(path)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer
