"""RTSP cameras that let nobody in, or not us."""

import pytest

from camfleet_capture.errors import SourceMissing, SourceUnreachable
from camfleet_capture.sources.live import open_network
from fakes_rtsp import RefusingCamera
from serving_thread import in_thread

MD5, SHA, BASIC = (
    f'WWW-Authenticate: {kind} realm="door"{more}'
    for kind, more in (
        ("Digest", ', nonce="a1", algorithm=MD5'),
        ("Digest", ', nonce="a1", algorithm=SHA-256'),
        ("Basic", ""),
    )
)
UNKNOWN, WRONG = (
    r"does not know \(Digest with SHA-256\); choose MD5",
    "refuses the user or password",
)


@pytest.mark.parametrize(
    ("challenges", "reason"),
    [
        pytest.param([SHA], UNKNOWN, id="SHA-256 alone"),
        pytest.param([MD5, SHA], UNKNOWN, id="libav takes the last Digest"),
        pytest.param([SHA, MD5], WRONG, id="MD5 is the last"),
        pytest.param([BASIC], WRONG, id="Basic"),
    ],
)
def test_a_login_that_libav_cannot_make_is_told_from_a_wrong_password(
    challenges: list[str], reason: str
) -> None:
    with (
        in_thread(RefusingCamera(lambda _lines: ["401 Unauthorized", *challenges])) as camera,
        pytest.raises(SourceMissing, match=reason) as caught,
    ):
        open_network(camera.url, ("admin", "secret"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", ["400 Bad Request", "453 Not Enough Bandwidth"])
def test_a_camera_that_refuses_for_another_reason_is_not_called_no_video(status: str) -> None:
    with (
        in_thread(RefusingCamera(lambda _lines: [status])) as camera,
        pytest.raises(SourceUnreachable, match=r"refuses the request \(4xx\); does it have too"),
    ):
        open_network(camera.url)
