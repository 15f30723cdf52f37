"""Runs a script of an application inside the test, and keeps what it showed."""

import json
import os
import runpy
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from unittest import mock

import numpy as np
from numpy.typing import NDArray

import camfleet
from camfleet.placement.connections import close_connections
from camfleet.publishing.publisher import close_publisher
from camfleet.testing.cameras import clip_as_camera


@dataclass(frozen=True, slots=True)
class AppRun:
    """How a script ended, what it gave to Streamer, and what it published."""

    code: int
    images: list[NDArray[np.uint8]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)  # packets, as clients read them


def run_app(
    script: str | os.PathLike[str],
    *arguments: object,
    camera: str | os.PathLike[str] | None = None,
    stop_after: int | None = None,
) -> AppRun:
    """Run a script to its end, in its own folder, as `python SCRIPT ARGUMENT...` would.

    Args:
        script: the file.
        arguments: what it finds in sys.argv.
        camera: a clip that every camera it opens shows.
        stop_after: the stop button is pressed after so many pictures.

    Returns:
        Its exit code, the pictures and lines it showed, and the packets it published. Nothing
        leaves the test: port 5000 is not opened, no file and no fleet gets the packets.

    Raises:
        Exception: whatever the script raises.
    """
    path = Path(script).absolute()
    run = AppRun(0)
    with ExitStack() as stack:
        stack.enter_context(_inside(path.parent))
        stack.enter_context(mock.patch.object(sys, "argv", [str(path), *map(str, arguments)]))
        stack.enter_context(_streamer_of(run, stop_after))
        stack.enter_context(_published_to(run))
        if camera is not None:
            stack.enter_context(clip_as_camera(Path(camera).absolute()))
        stack.callback(close_connections)
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
            return replace(run, code=code)
    return run


class KeptStreamer:
    """In the place of Streamer: keeps what it is given and opens no port."""

    def __init__(self, run: AppRun, stop_after: int | None) -> None:
        """Keep it in `run`; the stop button is pressed after so many pictures."""
        self._run, self._stop_after = run, stop_after

    def setup(self) -> Self:
        """There is nothing to open."""
        return self

    def send_data(self, image: NDArray[np.uint8], text: str | Iterable[object] = "") -> None:
        """Keep picture and lines."""
        lines = text.splitlines() if isinstance(text, str) else [str(line) for line in text]
        self._run.images.append(image.copy())
        self._run.texts.append(lines)

    def check_exit(self) -> bool:
        """Whether the button has been pressed."""
        return self._stop_after is not None and len(self._run.images) >= self._stop_after

    def wait(self) -> None:
        """Nobody presses the button: go on."""

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in the folder and import from it; what was imported from it is forgotten after."""
    before, known = Path.cwd(), set(sys.modules)
    os.chdir(folder)
    try:
        with mock.patch.object(sys, "path", [str(folder), *sys.path]):
            yield
    finally:
        os.chdir(before)
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if Path(file).is_relative_to(folder):
                del sys.modules[name]


@contextmanager
def _streamer_of(run: AppRun, stop_after: int | None) -> Iterator[None]:
    def make(*_: Any, **__: Any) -> KeptStreamer:
        return KeptStreamer(run, stop_after)

    _ = camfleet.Streamer  # imported on first use, else there is nothing to replace
    with mock.patch.object(camfleet, "Streamer", make):
        yield


class _Kept:
    """A destination of packets."""

    def __init__(self, run: AppRun) -> None:
        self._run = run

    def publish(self, line: str, *, is_result: bool) -> None:
        del is_result
        self._run.published.append(json.loads(line))


@contextmanager
def _published_to(run: AppRun) -> Iterator[None]:
    """Packets go into the run and nowhere else."""
    close_publisher()
    place = "camfleet.publishing.publisher._destinations_of"
    with mock.patch(place, return_value=(_Kept(run),)):
        yield
        close_publisher()
