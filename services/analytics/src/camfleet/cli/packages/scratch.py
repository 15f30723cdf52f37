"""Folders for the files of a pull while they become a package."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from camfleet_contracts.files import locked

_OURS = "package-"
_HELD = "pull"  # its lock is held for as long as the pull runs


@contextmanager
def scratch_in(folder: Path) -> Iterator[Path]:
    """An empty folder below `folder`, gone with the block.

    What pulls left that were killed goes first: nobody holds its lock any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with locked(folder / "scratch"):
            for left in folder.glob(f"{_OURS}*"):
                _remove_unless_held(left)
            scratch = Path(tempfile.mkdtemp(dir=folder, prefix=_OURS))
            stack.enter_context(locked(scratch / _HELD))
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        files = scratch / "files"
        files.mkdir()
        yield files


def _remove_unless_held(scratch: Path) -> None:
    with suppress(BlockingIOError), locked(scratch / _HELD, wait=False):
        shutil.rmtree(scratch, ignore_errors=True)
