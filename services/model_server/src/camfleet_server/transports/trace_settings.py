"""Triton's trace extension: the settings of a server that traces nothing."""

from collections.abc import Mapping, Sequence

from camfleet_server.errors import NotOffered

TRACE_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "trace_level": ("OFF",),
    "trace_rate": ("1000",),
    "trace_count": ("-1",),
    "log_frequency": ("0",),
    "trace_file": ("",),
    "trace_mode": ("triton",),
}
_LISTS = {"trace_level"}


def refuse_tracing(changes: Mapping[str, Sequence[str]]) -> None:
    """Let pass what changes nothing; an empty list clears a setting.

    Raises:
        NotOffered: names the setting.
    """
    for name, values in changes.items():
        if values and tuple(values) != TRACE_SETTINGS.get(name):
            raise NotOffered(
                f"Tracing ({name}={', '.join(values)})",
                "/metrics and the statistics extension for times; trace_level stays OFF",
            )


def trace_json() -> dict[str, str | list[str]]:
    """Tell the settings as REST writes them."""
    return {
        name: list(values) if name in _LISTS else values[0]
        for name, values in TRACE_SETTINGS.items()
    }
