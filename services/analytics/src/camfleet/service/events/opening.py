"""Opens the journal of events, whatever state its file is in."""

import contextlib
import logging
import sqlite3
import time
from pathlib import Path

from camfleet.service.events.journal import Journal, Listener, MemoryJournal
from camfleet.service.events.outbox import Outbox

logger = logging.getLogger(__name__)


def open_outbox(path: Path, listener: Listener) -> Journal:
    """The journal on disk, a new one where it is corrupt; in memory when the disk refuses.

    Raises:
        OutboxInUse: another process has it open.
    """
    try:
        return _open_or_replace(path, listener)
    except (sqlite3.OperationalError, PermissionError) as error:
        text = "outbox cannot be opened, events are kept in memory only file=%s reason=%s"
        logger.error(text, path, error)  # noqa: TRY400 - the reason says it all
        return MemoryJournal(listener)


def _open_or_replace(path: Path, listener: Listener) -> Outbox:
    try:
        return Outbox(path, listener)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        aside = f"{path.name}.corrupt-{int(time.time())}"
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(path.with_name(aside + ending))
        text = "outbox is corrupt, beginning a new one file=%s kept=%s reason=%s"
        logger.error(text, path, aside, error)  # noqa: TRY400 - the reason says it all
    return Outbox(path, listener)
