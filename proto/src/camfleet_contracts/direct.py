"""HTTP to services of the fleet: never through a proxy, and quick to say that nobody answers."""

import http.client
import ssl
import urllib.request
from urllib.parse import urlsplit


def read_service(url: str, timeout_s: float, headers: dict[str, str] | None = None) -> bytes:
    """GET `url` and return its body; a certificate of this machine itself is not checked.

    Raises:
        OSError: nobody answers, or not with 2xx (then an urllib.error.HTTPError).
    """
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 - addresses of ours
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if url.startswith("https:"):
        handlers.append(urllib.request.HTTPSHandler(context=_context_for(url)))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            content: bytes = answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP answer ({type(error).__name__})") from error
    return content


def _context_for(url: str) -> ssl.SSLContext:
    # Here, since containers start the probe every 10 s: without TLS it loads no settings.
    from camfleet_contracts.access import is_loopback  # noqa: PLC0415

    context = ssl.create_default_context()
    if is_loopback(urlsplit(url).hostname or ""):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
