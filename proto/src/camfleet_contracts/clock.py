"""Times as every file, event and page writes them: RFC 3339, UTC, milliseconds."""

from datetime import UTC, datetime


def now_utc() -> datetime:
    """Return the current time with its zone."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Format an aware time as `2026-11-20T18:00:00.123Z`.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"time {moment} has no zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_from_unix(seconds: float) -> str:
    """Format seconds since 1970 (UTC)."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
