"""Fixtures of the capture tests."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes_capture import RunningCapture, camera_lines, capture_running, write_clip
from recordings import RECORDING

OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second, no B pictures."""
    return write_clip(tmp_path_factory.mktemp("clips") / "plain.mp4")


@pytest.fixture(scope="session")
def b_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second with two B pictures between the others."""
    return write_clip(tmp_path_factory.mktemp("clips") / "b-pictures.mp4", b_frames=2)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    if OPENSSL is None:
        pytest.skip("openssl not found: it makes the certificate of this test")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=camfleet",
    ]
    request += ["-addext", "subjectAltName=IP:127.0.0.1"]
    request += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([OPENSSL, *request], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def recording(clip: Path, tmp_path: Path) -> Iterator[RunningCapture]:
    file = tmp_path / "cameras.yaml"
    file.write_text(camera_lines(door=str(clip)) + RECORDING)
    with capture_running(file, recordings_dir=tmp_path / "recordings") as capture:
        yield capture
