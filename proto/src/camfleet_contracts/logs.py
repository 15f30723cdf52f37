"""One way to log for every service: `time level event key=value`, one line an event."""

import logging
import logging.handlers
import sys
from pathlib import Path

# structlog imports it where it is installed, for a renderer that is not used here; that costs every
# service 5 MB and 0.1 s. Whoever wants it imports it by name and gets it. So nobody but this module
# imports structlog.
_is_hidden = "rich" not in sys.modules
if _is_hidden:
    sys.modules["rich"] = None  # type: ignore[assignment] # what the import system asks for

import structlog  # noqa: E402 - only after the lines above

if _is_hidden:
    del sys.modules["rich"]

get_logger = structlog.get_logger
_TRACE = {"TRACE": logging.DEBUG}


def configure_logs(service: str, level: str = "INFO", path: Path | None = None) -> None:
    """Send structlog and the standard library's loggers to standard error in one form.

    Args:
        service: name bound to every line, e.g. `capture`.
        level: TRACE (as DEBUG), DEBUG, INFO, WARNING or ERROR; empty means INFO.
        path: file to write to as well; opened anew when it is moved away (logrotate).

    Raises:
        OSError: `path` cannot be written.
    """
    number = (logging.getLevelNamesMapping() | _TRACE).get(level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        pad_event_to=0,
        # The other one, used where `rich` is installed, prints every local: seconds, and secrets.
        exception_formatter=structlog.dev.plain_traceback,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path is not None:
        handlers.append(
            logging.handlers.WatchedFileHandler(path, encoding="utf-8", errors="backslashreplace")
        )
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.basicConfig(handlers=handlers, level=number, force=True)
    for chatty in ("uvicorn.access", "uvicorn.error", "httpx"):  # the services say it themselves
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
