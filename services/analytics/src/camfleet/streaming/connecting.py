"""Finds the page to show something on: the fleet's where it is up, else one of our own."""

from collections.abc import Callable
from dataclasses import dataclass

from camfleet.errors import CannotShow
from camfleet.fleet_access import fleet_key, page_address
from camfleet.streaming.feed import Feed, NobodyAnswers
from camfleet_contracts.settings import FleetSettings


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a script's panel is, and the page that had to be made for it."""

    address: str
    feed: Feed
    close_page: Callable[[], None] | None = None

    def close(self) -> None:
        """Take the panel away, and the page if it is ours."""
        self.feed.close()
        if self.close_page:
            self.close_page()


def open_screen(settings: FleetSettings, name: str, changed: Callable[[], None]) -> Screen:
    """Open a panel on whatever page answers at STREAMER_PORT; make one where none does.

    Raises:
        CannotShow: what answers there cannot be used, or no page can be made.
    """
    try:
        return _join(settings, name, changed)
    except NobodyAnswers:
        pass
    try:
        return _open_own(settings, name, changed)
    except CannotShow:
        try:  # another script may have been quicker
            return _join(settings, name, changed)
        except NobodyAnswers:
            pass
        raise


def _join(settings: FleetSettings, name: str, changed: Callable[[], None]) -> Screen:
    if settings.streamer_port == 0:
        raise NobodyAnswers("a free port")
    address = page_address(settings, settings.streamer_port)
    return Screen(address, Feed.open(address, name, fleet_key(settings), changed))


def _open_own(settings: FleetSettings, name: str, changed: Callable[[], None]) -> Screen:
    from camfleet.streaming.own_page import OwnPage  # noqa: PLC0415 - a web server, where needed

    page = OwnPage(settings)
    address = page_address(settings, page.port)
    try:
        return Screen(address, Feed.open(address, name, fleet_key(settings), changed), page.close)
    except BaseException:
        page.close()
        raise
