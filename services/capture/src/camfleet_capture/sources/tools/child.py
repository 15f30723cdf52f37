"""A child process that writes H.264 into a pipe: the own tool of a camera."""

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import av

from camfleet_capture.errors import SourceFault, SourceLost, SourceMissing, SourceStalled
from camfleet_capture.sources.container import STALL_LIMIT_S
from camfleet_capture.sources.packets import Arrived
from camfleet_capture.stop import Stop

STARTING_S = 15.0  # sensors, encoders and daemons behind them are slow to start
_WAIT_S = 0.5
_CHUNK_BYTES = 1 << 18
_WORDS_BYTES = 4000
_END_S = 2.0


@dataclass(frozen=True, slots=True)
class Tool:
    """How to start one: its pictures come on the descriptor that `command` is given.

    Attributes:
        label: what the operator calls the camera.
        advice: what to look at when it gives no picture.
        uses_stdout: pictures come on standard output instead, which then carries nothing else.
    """

    label: str
    command: Callable[[int], list[str]]
    advice: str
    uses_stdout: bool = False


class ChildFeed:
    """Runs a tool and splits what it writes into pictures; belongs to one thread."""

    note: str | None = None

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._splitter = av.CodecContext.create("h264", "r")
        self._pictures, written = os.pipe()
        self._words, said = os.pipe()
        self._said = b""
        self._has_given = False
        try:
            self._process = subprocess.Popen(
                tool.command(written),
                stdin=subprocess.DEVNULL,
                stdout=written if tool.uses_stdout else said,
                stderr=said,
                pass_fds=() if tool.uses_stdout else (written,),
            )
        except OSError as error:
            self._close_pipes()
            raise SourceMissing(f"{tool.label}: cannot be started: {error}") from error
        finally:
            os.close(written)
            os.close(said)

    def packets(self, stop: Stop) -> Iterator[Arrived]:
        """Yield the tool's pictures; each is whole when the next one begins.

        Raises:
            SourceFault: the tool ended, never began, or is silent.
        """
        heard_at = time.monotonic()
        while not stop.is_set():
            chunk = self._read()
            now = time.monotonic()
            if chunk is None:
                self._check_silence(now - heard_at)
                continue
            if not chunk:
                raise self._end()
            for packet in self._splitter.parse(chunk):
                self._has_given = True
                yield Arrived(bytes(packet), None, heard_at)
            heard_at = now

    def close(self) -> None:
        """End the tool and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_pipes()

    def _read(self) -> bytes | None:
        """Return what came, b"" at the end, None when nothing came; keep the tool's last words."""
        ready, _, _ = select.select([self._pictures, self._words], [], [], _WAIT_S)
        if self._words in ready:
            self._hear()
        return os.read(self._pictures, _CHUNK_BYTES) if self._pictures in ready else None

    def _hear(self) -> None:
        heard = os.read(self._words, _WORDS_BYTES)
        self._said = (self._said + heard)[-_WORDS_BYTES:]
        if not heard:
            threading.Event().wait(_WAIT_S)  # it closed its output, and its pictures will end too

    def _check_silence(self, silent_s: float) -> None:
        limit_s = STALL_LIMIT_S if self._has_given else STARTING_S
        if silent_s > limit_s:
            name = self._tool.label
            raise SourceStalled(f"{name}: no picture for {limit_s:.0f} s; {self._tool.advice}")

    def _end(self) -> SourceFault:
        """Say why the tool ended, in its own last words."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        while select.select([self._words], [], [], 0)[0] and (more := os.read(self._words, 4000)):
            self._said = (self._said + more)[-_WORDS_BYTES:]
        lines = [line.strip() for line in self._said.decode("utf-8", "replace").splitlines()]
        words = "; ".join([line for line in lines if line][-2:]) or "it says nothing"
        text = f"{self._tool.label}: the tool ended (code {self._process.returncode}): {words}"
        if self._has_given:
            return SourceLost(text)
        # Starting it is dear: twice a second would keep a small box busy with nothing.
        return SourceMissing(f"{text}; {self._tool.advice}", host_answers=False)

    def _close_pipes(self) -> None:
        os.close(self._pictures)
        os.close(self._words)
