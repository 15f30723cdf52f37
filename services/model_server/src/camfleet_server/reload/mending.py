"""Broken versions are loaded once more, from the same files, however they came to be broken."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from camfleet_server.reload.loader import Breakage, LoadJob, LoadResult
from camfleet_server.reload.model_state import BrokenVersion, ModelState

_AGAIN_AFTER_S = 10.0  # a load that failed may succeed when memory or the volume is back


def note_broken(state: ModelState, breakage: Breakage) -> bool:
    """Note what is to be mended; False when that version is not served any more."""
    loaded = state.loaded.get(breakage.version)
    if loaded is None or loaded.inference is not breakage.guard:
        return False
    wait_s = breakage.guard.durability.note_broken()
    mend_at = time.monotonic() + wait_s
    state.broken[breakage.version] = BrokenVersion(breakage.reason, mend_at)
    return True


def put_off(state: ModelState, result: LoadResult) -> None:
    """Try again later what could not be mended."""
    number = result.job.source.version
    if number in state.broken:
        mend_at = time.monotonic() + _AGAIN_AFTER_S
        state.broken[number] = replace(state.broken[number], mend_at=mend_at)


def start_mending(state: ModelState, submit: Callable[[LoadJob], None]) -> None:
    """Load anew what is due, unless it is loaded anyway."""
    state.jobs = {n: job for n, job in state.jobs.items() if n in state.loaded}
    state.broken = {n: broken for n, broken in state.broken.items() if n in state.loaded}
    for number, broken in state.broken.items():
        if number in state.loading or time.monotonic() < broken.mend_at:
            continue
        entrances = state.loaded[number].entrances
        job = replace(state.jobs[number], takes_pictures=entrances.is_compiled)
        state.loading[number] = job.key
        submit(job)


def pause_s(states: Iterable[ModelState]) -> float | None:
    """Return in how many seconds something is due."""
    due = [
        broken.mend_at
        for state in states
        for number, broken in state.broken.items()
        if number not in state.loading
    ]
    return max(0.0, min(due) - time.monotonic()) if due else None
