"""The server's side of TLS: a certificate that is renewed is used without a restart."""

import logging
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


def server_context(cert: Path, key: Path, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """Make the context of a port, whose handshakes use the files as they are then.

    Files that cannot be used later on are told in the log, and the certificate before them stays.

    Raises:
        OSError: they cannot be used now.
    """
    return _Certificate(cert, key, alpn).context


def context_factory(cert: Path | None, key: Path | None) -> Callable[..., ssl.SSLContext] | None:
    """Return what uvicorn takes as `ssl_context_factory`: None, for clear text, without files."""
    if cert is None or key is None:
        return None
    return lambda *_: server_context(cert, key)


class _Certificate:
    """The files of a certificate and what was made of them; may be asked by any thread."""

    def __init__(self, cert: Path, key: Path, alpn: Sequence[str]) -> None:
        self._files = (cert, key)
        self._alpn = list(alpn)
        self._lock = threading.Lock()
        self._stamp = self._current_stamp()
        self.context = self._newest = self._read()
        self.context.sni_callback = self._choose  # called with every handshake, named or not

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        with self._lock:
            self._refresh()
            connection.context = self._newest

    def _refresh(self) -> None:
        stamp = self._current_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._newest = self._read()
        except OSError as error:
            logger.warning(
                "certificate not reloaded file=%s reason=%s next=the former one stays",
                *(self._files[0], error),
            )
        else:
            logger.info("certificate reloaded file=%s", self._files[0])

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*self._files)
        if self._alpn:
            context.set_alpn_protocols(self._alpn)
        return context

    def _current_stamp(self) -> _Stamp:
        try:
            found = [path.stat() for path in self._files]
        except OSError:
            return ()
        return tuple((status.st_ino, status.st_size, status.st_mtime_ns) for status in found)
