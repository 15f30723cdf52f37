"""HTTP to services of the fleet: never through a proxy, and quick to say that nobody answers."""

import http.client
import io
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from camfleet_contracts.settings import FleetSettings


def read_service(
    url: str,
    timeout_s: float,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    *,
    is_here: bool = False,
) -> bytes:
    """GET `url`, or POST `body` to it, and return the answer's body.

    A certificate of this machine itself is not checked.

    Its addresses on loopback are known to be its own, `is_here` says so of another one.

    Raises:
        OSError: nobody answers, or not with 2xx (then an urllib.error.HTTPError).
    """
    request = urllib.request.Request(url, body, headers or {})  # noqa: S310 - addresses of ours
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if url.startswith("https:"):
        handlers.append(urllib.request.HTTPSHandler(context=_context_for(url, is_here)))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            content: bytes = answer.read()
    except urllib.error.HTTPError as error:
        with error:  # lets go of the connection; what it said can still be read
            told = io.BytesIO(error.read())
        raise urllib.error.HTTPError(url, error.code, error.msg, error.headers, told) from None
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP answer ({type(error).__name__})") from error
    return content


def capture_http_address(settings: "FleetSettings") -> str:
    """Return http://host:port of capture: CAMFLEET_CAPTURE_HTTP, else at CAMFLEET_CAPTURE's host.

    Empty when there is no capture.
    """
    from camfleet_contracts.access import speaks_tls  # noqa: PLC0415 - as in _context_for

    if settings.capture_http or not settings.capture:
        return settings.capture_http.rstrip("/")
    host = urlsplit(settings.capture).hostname or "127.0.0.1"
    scheme = "https" if speaks_tls(host, settings) else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.capture_http_port}"


def server_rest_address(settings: "FleetSettings") -> str:
    """Return http://host:port of the REST side of the first server of CAMFLEET_SERVER."""
    from camfleet_contracts.access import speaks_tls  # noqa: PLC0415 - as in _context_for

    first = settings.server.split(",")[0].removeprefix("dns:///")
    host = "127.0.0.1" if first.startswith("unix:") else first.rpartition(":")[0]
    host = host or "127.0.0.1"
    scheme = "https" if speaks_tls(host, settings) else "http"
    return f"{scheme}://{host}:{settings.rest_port}"


def _context_for(url: str, is_here: bool) -> ssl.SSLContext:
    # Here, since containers start the probe every 10 s, and it loads no settings.
    from camfleet_contracts.access import is_loopback  # noqa: PLC0415

    context = ssl.create_default_context()
    if is_here or is_loopback(urlsplit(url).hostname or ""):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
