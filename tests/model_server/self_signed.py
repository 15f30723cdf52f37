"""A certificate for localhost that signed itself, so it is its own authority."""

import shutil
import subprocess
from pathlib import Path

import pytest

from camfleet_server.transports.listening import TlsFiles


def self_signed(folder: Path) -> TlsFiles:
    """Make key and certificate in a folder; skips by name where openssl is absent."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl not found; it makes the certificate of this test")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return TlsFiles(cert=cert, key=key)
