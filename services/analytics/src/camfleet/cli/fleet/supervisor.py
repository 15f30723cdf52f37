"""Keeps the services of a fleet running until it is told to end them."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from camfleet.cli.fleet.child import Child, ServiceSpec
from camfleet_contracts.probe import fault

_POLL_S = 0.2
_PROBE_LIMIT_S = 0.5
_STOP_LIMIT_S = 7.0
_ENDS_FIRST_LIMIT_S = 3.0
_SLOW_START_S = 60.0
_HEALTHY_AFTER_S = 60.0
_FIRST_BACK_OFF_S = 0.5
_LONGEST_BACK_OFF_S = 30.0


class ServiceFailedToStart(Exception):
    """An essential service ended before it was ever ready."""

    def __init__(self, name: str, code: int, last_line: str) -> None:
        super().__init__(
            f"{name} ended with code {code} before it was ready ({last_line or 'no message'}); "
            "its lines above say why"
        )


@dataclass(slots=True)
class _Watched:
    """A service and what is known of it."""

    spec: ServiceSpec
    child: Child | None = None
    started_at: float = 0.0
    ready: bool = False
    ever_ready: bool = False
    back_off_s: float = _FIRST_BACK_OFF_S
    start_at: float = 0.0
    said_slow: bool = False


class Supervisor:
    """Runs services as children of this process; `run` belongs to the main thread."""

    def __init__(
        self,
        specs: Sequence[ServiceSpec],
        environment: Mapping[str, str],
        emit: Callable[[ServiceSpec, str], None],
        say: Callable[[str], None],
    ) -> None:
        self._services = [_Watched(spec) for spec in specs]
        self._environment = environment
        self._emit = emit
        self._say = say
        self._ending = threading.Event()

    def end(self) -> None:
        """Ask `run` to end everything; may be called from a signal handler."""
        self._ending.set()

    def run(self, on_ready: Callable[[], None]) -> None:
        """Start all, call `on_ready` once when the essential ones are ready, watch until `end`.

        Raises:
            ServiceFailedToStart: an essential service ended before it was ready; all are ended.
        """
        announced = False
        try:
            while not self._ending.is_set():
                for service in self._services:
                    self._look_after(service, may_start_late=announced)
                if not announced and self._is_ready():
                    announced = True
                    on_ready()
                self._ending.wait(_POLL_S)
        finally:
            self._end_all()

    def _is_ready(self) -> bool:
        return all(service.ready for service in self._services if service.spec.essential)

    def _look_after(self, service: _Watched, *, may_start_late: bool) -> None:
        now = time.monotonic()
        if service.child is None:
            if now >= service.start_at and (may_start_late or not service.spec.after_ready):
                service.child = Child(service.spec, self._environment, self._emit)
                service.started_at = now
            return
        code = service.child.exit_code()
        if code is not None:
            self._take_end(service, service.child, code)
        elif not service.ready:
            self._look_for_ready(service, now)
        elif now - service.started_at > _HEALTHY_AFTER_S:
            service.back_off_s = _FIRST_BACK_OFF_S

    def _take_end(self, service: _Watched, child: Child, code: int) -> None:
        child.close()
        service.child, service.ready, service.said_slow = None, False, False
        if service.spec.essential and not service.ever_ready:
            last_line = child.last_lines[-1] if child.last_lines else ""
            raise ServiceFailedToStart(service.spec.name, code, last_line)
        self._say(
            f"{service.spec.name} ended with code {code}; started again in {service.back_off_s:g} s"
        )
        service.start_at = time.monotonic() + service.back_off_s
        service.back_off_s = min(service.back_off_s * 2, _LONGEST_BACK_OFF_S)

    def _look_for_ready(self, service: _Watched, now: float) -> None:
        found = fault(service.spec.ready_url, _PROBE_LIMIT_S)
        if found is None:
            if service.ever_ready:
                self._say(f"{service.spec.name} is back")
            service.ready = service.ever_ready = True
        elif now - service.started_at > _SLOW_START_S and not service.said_slow:
            service.said_slow = True
            self._say(f"{service.spec.name} is not ready after {_SLOW_START_S:g} s: {found}")

    def _end_all(self) -> None:
        children = [service.child for service in self._services if service.child]
        deadline = time.monotonic() + _STOP_LIMIT_S
        for child in (one for one in children if one.spec.ends_first or one.spec.after_ready):
            child.ask_to_end()
        for child in (one for one in children if one.spec.ends_first):
            child.wait_ended(_ENDS_FIRST_LIMIT_S)
        for child in children:
            child.ask_to_end()
        for child in children:
            if not child.wait_ended(deadline - time.monotonic()):
                self._say(f"{child.spec.name} did not end within {_STOP_LIMIT_S:g} s: killed")
            child.close()
        for service in self._services:
            service.child = None
