"""What RFC 9112 asks of a server beyond what h11 sees to, for every HTTP port of the fleet."""

from urllib.parse import urlsplit

import h11

_FRAMINGS = {b"content-length", b"transfer-encoding"}


class StrictConnection(h11.Connection):
    """The server's side of a connection of h11."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return what comes next.

        Raises:
            h11.RemoteProtocolError: it is no HTTP, or says in two ways where its body ends: a
                proxy in front may have read it in the other way (section 6.3).
        """
        event = super().next_event()
        if not isinstance(event, h11.Request):
            return event
        if {name for name, _ in event.headers} >= _FRAMINGS:
            raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")
        return _in_origin_form(event)


def _in_origin_form(request: h11.Request) -> h11.Request:
    """Take the host out of `GET http://host/path`, as clients write it to proxies (3.2.2)."""
    if not request.target.lower().startswith((b"http://", b"https://")):
        return request
    try:
        parts = urlsplit(request.target)
    except ValueError as error:
        raise h11.RemoteProtocolError(f"no address: {error}") from error
    path = (parts.path or b"/") + (b"?" + parts.query if parts.query else b"")
    headers = [(name, value) for name, value in request.headers if name != b"host"]
    return h11.Request(
        method=request.method,
        headers=[(b"host", parts.netloc), *headers],
        target=path,
        http_version=request.http_version,
    )
