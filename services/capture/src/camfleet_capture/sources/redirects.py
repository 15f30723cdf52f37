"""Whether an RTSP server sends its readers on without end: libav follows as fast as it can."""

from urllib.parse import urlsplit

from camfleet_capture.sources.rtsp_asking import RtspAsking, credentials_in
from camfleet_contracts.secret_references import Credentials

_HOPS = 5


def is_endless(url: str) -> bool:
    """Follow a few redirects, with a connection each; False if they end.

    The password of the address is for its host alone.
    """
    host, credentials = urlsplit(url).hostname, credentials_in(url)
    for _ in range(_HOPS):
        is_home = urlsplit(url).hostname == host
        try:
            location = _redirect_of(url, credentials if is_home else None)
        except (OSError, ValueError, IndexError):
            return False  # no answer, or none of RTSP: opening it says so
        if location is None:
            return False
        url = location
    return True


def _redirect_of(url: str, credentials: Credentials | None) -> str | None:
    with RtspAsking(url, credentials) as camera:
        for method in ("OPTIONS", "DESCRIBE"):
            answer = camera.ask(method)
            is_redirect = 300 <= answer.code < 400  # noqa: PLR2004 - RFC 2326, 7.1.1
            if is_redirect and (location := answer.all("location")):
                return location[0]
    return None
