"""The tables of the outbox, and an outbox of an earlier version made one of this.

Every page that a commit touches is written whole, and a disk takes no less than 4 KB for each
fsync. What each event touches is therefore one table, without an index, in small pages.
"""

import sqlite3

PAGE_BYTES = 512
LARGEST_LOG_BYTES = 8_000_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS events(position INTEGER PRIMARY KEY, epoch TEXT, seq INTEGER,
    type TEXT, camera TEXT, text TEXT, sinks TEXT);
CREATE TABLE IF NOT EXISTS epochs(number INTEGER PRIMARY KEY, epoch TEXT UNIQUE, zero INTEGER);
CREATE TABLE IF NOT EXISTS acknowledged(client TEXT PRIMARY KEY, position INTEGER);
CREATE TABLE IF NOT EXISTS totals(camera TEXT, line TEXT, counts TEXT, PRIMARY KEY(camera, line));
CREATE TABLE IF NOT EXISTS tallies(camera TEXT, minute INTEGER, kind TEXT, place TEXT, figure TEXT,
    value REAL, PRIMARY KEY(minute, camera, kind, place, figure)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursors(sink TEXT PRIMARY KEY, position INTEGER, dropped INTEGER);
"""
# Versions before had an index in place of `epochs`, and sums that were never behind the events.
_TAKE_OVER = """
BEGIN IMMEDIATE;
DELETE FROM epochs;
INSERT INTO epochs(epoch, zero)
    SELECT epoch, min(position - seq) FROM events GROUP BY epoch ORDER BY min(position);
INSERT OR REPLACE INTO facts SELECT 'summed', coalesce(max(position), 0) FROM events;
DROP INDEX IF EXISTS events_by_seq;
COMMIT;
"""


def prepare(database: sqlite3.Connection) -> None:
    """Make the tables that are missing. Raises sqlite3.Error."""
    # Only a new file takes the size of its pages.
    database.execute(f"PRAGMA page_size={PAGE_BYTES}")
    before = _names(database)
    database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;{_SCHEMA}")
    database.execute("PRAGMA wal_autocheckpoint=0")
    database.execute(f"PRAGMA journal_size_limit={LARGEST_LOG_BYTES}")
    columns = {row[1] for row in database.execute("PRAGMA table_info(events)")}
    if "sinks" not in columns:  # an outbox of a version that had none
        database.execute("ALTER TABLE events ADD COLUMN sinks TEXT")
    # An earlier version that worked on it meanwhile has made its index again.
    if "events" in before and ("epochs" not in before or "events_by_seq" in before):
        database.executescript(_TAKE_OVER)


def _names(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
