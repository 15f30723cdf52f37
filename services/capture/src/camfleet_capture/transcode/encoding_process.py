"""The other end of the child: starts it, feeds it, takes what it makes, and ends it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from typing import cast

from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.transcode.unit_format import HEAD_BYTES, format_unit, parse_unit, size_of

_CHILD = "camfleet_capture.transcode.child"
_BACKLOG_LIMIT_BYTES = 4_000_000
_ENOUGH_BYTES = 100_000
_END_PATIENCE_S = 2.0


class EncodingProcess:
    """One running child. Units it has no time for are left out, up to the next key picture."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._stdin = cast("asyncio.StreamWriter", process.stdin)
        self._stdout = cast("asyncio.StreamReader", process.stdout)
        self._waits_for_key = True

    @classmethod
    async def start(cls, fps: float) -> "EncodingProcess":
        """Start a child for pictures that come at this rate."""
        command = (sys.executable, "-m", _CHILD, str(fps))
        return cls(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE))

    def feed(self, unit: AccessUnit) -> None:
        """Send a unit; never waits."""
        transport = self._stdin.transport
        is_full = transport.get_write_buffer_size() > _BACKLOG_LIMIT_BYTES
        self._waits_for_key = is_full or (self._waits_for_key and not unit.is_key)
        if not self._waits_for_key and not transport.is_closing():
            transport.write(format_unit(unit))

    @property
    def is_behind(self) -> bool:
        """Whether it has more to do than a source that can wait should give it."""
        return self._stdin.transport.get_write_buffer_size() > _ENOUGH_BYTES

    def finish(self) -> None:
        """Let the child end once it has made all of what it was fed."""
        self._stdin.close()

    async def units(self) -> AsyncIterator[AccessUnit]:
        """Yield what the child makes until it ends."""
        try:
            while True:
                head = await self._stdout.readexactly(HEAD_BYTES)
                yield parse_unit(head, await self._stdout.readexactly(size_of(head)))
        except asyncio.IncompleteReadError:
            return

    async def end(self) -> int:
        """End the child, by force if need be, with what it was not fed; returns its exit code."""
        if not self._stdin.is_closing():
            self._stdin.transport.abort()
        try:
            async with asyncio.timeout(_END_PATIENCE_S):
                return await self._ended()
        except TimeoutError:
            self._process.kill()
            return await self._ended()

    async def _ended(self) -> int:
        """Throw away what is left in the pipe: asyncio knows no end before that of the pipe."""
        while await self._stdout.read(_ENOUGH_BYTES):
            continue
        return await self._process.wait()
