import ssl
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import httpx
import pytest

from camfleet_contracts.keys import KeyStore
from fakes_capture import (
    LENGTH,
    RunningCapture,
    camera_lines,
    capture_running,
    number_of,
    read_numbers,
    reading_options,
)


@pytest.fixture(scope="module")
def encrypted(
    tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path], clip: Path
) -> Iterator[RunningCapture]:
    file = tmp_path_factory.mktemp("encrypted") / "cameras.yaml"
    file.write_text(camera_lines(one=str(clip)))
    cert, key = certificate
    with capture_running(file, bind="0.0.0.0", tls_cert=cert, tls_key=key) as running:
        yield running


def secret_of(capture: RunningCapture) -> str:
    return KeyStore(capture.state_dir / "keys.json").fleet_secret()


def test_reader_that_checks_the_certificate_gets_pictures_over_rtsps(
    encrypted: RunningCapture, certificate: tuple[Path, Path]
) -> None:
    url = encrypted.url("one", f"camfleet:{secret_of(encrypted)}@").replace("rtsp:", "rtsps:")
    options = reading_options() | {"tls_verify": "1", "ca_file": str(certificate[0])}
    with av.open(url, options=options, timeout=(60, 60)) as container:
        numbers = [
            number_of(frame) for frame, _ in zip(container.decode(video=0), range(5), strict=False)
        ]
    assert [(number - numbers[0]) % LENGTH for number in numbers] == [0, 1, 2, 3, 4]


def test_camera_that_speaks_rtsps_is_read_and_its_secret_stays_one(
    encrypted: RunningCapture, tmp_path: Path
) -> None:
    file, url = tmp_path / "cameras.yaml", encrypted.url("one").replace("rtsp:", "rtsps:")
    file.write_text(camera_lines(far=url) + "    credentials: ${env:FAR}\n")
    secret = secret_of(encrypted)
    with capture_running(file, environment={"FAR": f"camfleet:{secret}"}) as capture:
        capture.wait_for("far", "LIVE")
        numbers = read_numbers(capture.url("far"), LENGTH).numbers
        state = capture.get("/cameras/far").text
    assert all(after == (before + 1) % LENGTH for before, after in pairwise(numbers))
    assert secret not in state


def test_clear_text_gets_nothing_where_encryption_is_on(encrypted: RunningCapture) -> None:
    url = encrypted.url("one", f"camfleet:{secret_of(encrypted)}@")
    with pytest.raises(av.error.FFmpegError):
        av.open(url, options=reading_options(), timeout=(60, 60))


def test_state_over_https_names_the_encrypted_address(
    encrypted: RunningCapture, certificate: tuple[Path, Path]
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    address = f"https://127.0.0.1:{encrypted.http_port}/cameras/one"
    assert httpx.get(address, verify=trust, timeout=60).status_code == 401
    answer = httpx.get(
        address, headers={"x-api-key": secret_of(encrypted)}, verify=trust, timeout=60
    )
    assert answer.json()["rtsp_url"] == f"rtsps://127.0.0.1:{encrypted.rtsp_port}/one"
