"""What both ports share: TLS files, and how a taken address is told."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of the server's own certificate; clients are told apart by their keys."""

    cert: Path
    key: Path

    def check(self) -> None:
        """Read the files now: the REST port would only fail in its own thread.

        Raises:
            BadTlsFiles: one of them is missing, no PEM, or the key is not the certificate's.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.cert, self.key)
        except OSError as error:
            raise BadTlsFiles(self, error.strerror or str(error)) from error


class BadTlsFiles(OSError):
    """TLS is asked for with files that cannot be used."""

    def __init__(self, files: TlsFiles, reason: str) -> None:
        """Name the files, why, and the variables that choose others."""
        super().__init__(
            f"TLS cannot use {files.cert}, {files.key}: {reason}; "
            "look at CAMFLEET_TLS_CERT and CAMFLEET_TLS_KEY"
        )


class PortTaken(OSError):
    """The address cannot be listened on."""

    def __init__(self, what: str, address: str, option: str, reason: str) -> None:
        """Say which address of whom, why, and which option chooses another."""
        super().__init__(f"{what} cannot listen on {address}: {reason}; choose another: {option}")
