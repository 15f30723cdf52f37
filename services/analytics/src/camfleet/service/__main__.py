"""`camfleet-analytics`: the stock application."""

import logging
import sys

from camfleet.service.events.outbox_lock import OutboxInUse
from camfleet.service.http.server import CannotListen
from camfleet.service.options import parse_options
from camfleet.service.service import run
from camfleet_contracts.access import RefusedToListen
from camfleet_contracts.logs import configure_logs

logger = logging.getLogger(__name__)


def main() -> None:
    """Run until told to stop; exit code 1 with one line when it cannot start."""
    options = parse_options()
    configure_logs("analytics", options.settings.log_level)
    address = f"{options.settings.bind_address}:{options.port}"
    try:
        run(options)
    except (RefusedToListen, OutboxInUse, OSError) as error:
        logger.error("cannot start reason=%s", error)  # noqa: TRY400 - one line, as promised
        sys.exit(1)
    except CannotListen as error:
        hint = "choose another with --port or STREAMER_PORT, or end what uses it"
        logger.error("cannot listen address=%s reason=%s; %s", address, error, hint)  # noqa: TRY400
        sys.exit(1)


if __name__ == "__main__":
    main()
