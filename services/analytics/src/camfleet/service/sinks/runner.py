"""One sink's thread: takes events from the journal in order and moves the cursor behind them."""

import asyncio
import logging
import random
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Literal

from camfleet.service.events.journal import Journal
from camfleet.service.events.stored import Stored
from camfleet.service.sinks.ports import Delivery, SinkDown, SinkUnusable
from camfleet.service.sinks.reasons import in_words
from camfleet_contracts.clock import now_utc, rfc3339
from camfleet_contracts.redaction import redact

logger = logging.getLogger(__name__)

READ_AT_ONCE = 100
DELIVERY_LIMIT_S = 30.0
REFUSED_IN_A_ROW = 3  # from here on it is not about single events
SHORTEST_S, LONGEST_S, UNUSABLE_S, LONGEST_ASKED_S = 0.25, 15.0, 30.0, 300.0
STOP_LIMIT_S = 3.0

State = Literal["connecting", "connected", "waiting", "unusable"]


@dataclass(frozen=True, slots=True)
class SinkState:
    """How a sink is; replaced, never changed."""

    state: State
    reason: str | None = None
    last_error: str | None = None
    last_error_at: str | None = None


@dataclass(slots=True)
class SinkCounts:
    """Figures since the start; written by the sink's thread only."""

    delivered: int = 0
    refused: int = 0  # given up, because the other side will never take them
    failures: int = 0


class SinkRunner:
    """Feeds one sink. start, stop and wake may be called from any thread."""

    def __init__(
        self,
        name: str,
        journal: Journal,
        open_delivery: Callable[[], AbstractAsyncContextManager[Delivery]],
    ) -> None:
        self.name = name
        self.state = SinkState("connecting")
        self.counts = SinkCounts()
        self._journal, self._open = journal, open_delivery
        self._has_failed = False  # since the last event that arrived
        self._refused_in_a_row = 0
        self._wait_s = SHORTEST_S
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"sink-{name}", daemon=True)

    def start(self) -> None:
        """Begin to connect and to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what is not delivered stays in the journal."""
        self._stopped.set()
        if self._task is not None:
            self._in_loop(self._task.cancel)
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT_S)

    def wake(self) -> None:
        """There may be something new."""
        self._in_loop(self._changed.set)

    def _in_loop(self, call: Callable[[], object]) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # it closed in this moment

    def _run(self) -> None:
        try:
            asyncio.run(self._feed())
        except asyncio.CancelledError:
            return
        except Exception:  # the thread's border
            logger.exception("sink ended sink=%s", self.name)

    async def _feed(self) -> None:
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()
        while not self._stopped.is_set():
            try:
                async with self._open() as delivery:
                    if not self._has_failed:
                        self._note_connected()
                    await self._deliver_until_lost(delivery)
            except SinkDown as error:
                wait_s = self._note_down(error)
            except TimeoutError as error:
                wait_s = self._note_down(SinkDown(in_words(error)))
            except sqlite3.Error as error:
                wait_s = self._note_down(SinkDown(f"{type(error).__name__}: {error}"))
            except Exception as error:  # the border of what sinks do: one fault must not end one
                logger.exception("sink failed sink=%s", self.name)
                wait_s = self._note_down(SinkDown(f"{type(error).__name__}: {error}"))
            await asyncio.sleep(wait_s)

    async def _deliver_until_lost(self, delivery: Delivery) -> None:
        lost = asyncio.create_task(delivery.wait_lost())
        try:
            while not lost.done():
                self._changed.clear()
                if await self._deliver_next(delivery):
                    continue
                changed = asyncio.create_task(self._changed.wait())
                await asyncio.wait({changed, lost}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
            raise SinkDown(lost.result())
        finally:
            lost.cancel()

    async def _deliver_next(self, delivery: Delivery) -> bool:
        """Deliver what the journal has next; False when it has nothing."""
        position = self._journal.cursors.get(self.name).position
        events = self._journal.read(position, READ_AT_ONCE)  # this thread waits for nobody else
        if not events:
            async with asyncio.timeout(DELIVERY_LIMIT_S):
                await delivery.deliver([])
            return False
        for begin in range(0, len(events), delivery.at_once):
            await self._deliver(delivery, events[begin : begin + delivery.at_once])
        return True

    async def _deliver(self, delivery: Delivery, events: Sequence[Stored]) -> None:
        wanted = [event for event in events if event.goes_to(self.name)]
        if wanted:
            async with asyncio.timeout(DELIVERY_LIMIT_S):
                refused = await delivery.deliver(wanted)
            self.counts.refused += refused
            self.counts.delivered += len(wanted) - refused
            if self._has_failed:
                self._note_connected()
            self._note_refused(refused, is_all=refused == len(wanted))
        self._journal.cursors.advance(self.name, events)

    def _note_connected(self) -> None:
        self._has_failed, self._wait_s = False, SHORTEST_S
        if self.state.state != "connected":
            logger.info("sink connected sink=%s", self.name)
        before = self.state
        self.state = SinkState("connected", None, before.last_error, before.last_error_at)

    def _note_refused(self, refused: int, *, is_all: bool) -> None:
        """A sink that takes nothing is connected, but not well; `reason` says so."""
        was_bad = self._refused_in_a_row >= REFUSED_IN_A_ROW
        self._refused_in_a_row = self._refused_in_a_row + refused if is_all else 0
        is_bad = self._refused_in_a_row >= REFUSED_IN_A_ROW
        if is_bad != was_bad or is_bad:
            text = f"refuses every event, the last {self._refused_in_a_row}; the log has its answer"
            self.state = replace(self.state, reason=text if is_bad else None)

    def _note_down(self, error: SinkDown) -> float:
        """Remember the reason; return how long to wait before the next try."""
        state: State = "unusable" if isinstance(error, SinkUnusable) else "waiting"
        reason = redact(str(error))
        if (self.state.state, self.state.reason) != (state, reason):
            logger.warning("sink down sink=%s reason=%s", self.name, reason)
        self.counts.failures += 1
        self._has_failed = self._has_failed or self.state.state == "connected"
        self.state = SinkState(state, reason, reason, rfc3339(now_utc()))
        if state == "unusable":
            return UNUSABLE_S
        wait_s = self._wait_s * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
        self._wait_s = min(self._wait_s * 2, LONGEST_S)
        return max(wait_s, min(error.retry_after_s, LONGEST_ASKED_S))
