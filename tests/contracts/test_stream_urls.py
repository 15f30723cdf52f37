import pytest

from camfleet_contracts.redaction import redact
from camfleet_contracts.stream_urls import fault_of_url, unknown_host_of


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://192.168.1.20/cam/realmonitor?channel=1&subtype=0",
        "rtsp://192.168.1.20:554/user=admin&password=x&channel=1&stream=0.sdp?",
        "rtsp://admin:p@ss word@door_1.lan:8554/live@2",
        "rtsp://admin:12345@10.0.0.5/Streaming/Channels/101/",
        "rtsps://[fd00::20]:322/live",
        "rtsp://[fe80::1%eth0]/live",
        "rtsp://[fe80::1%25eth0.100]/live",
        "rtsp://admin:se cret@10.0.0.5/live",
        "rtsp://admin:it's@10.0.0.5/live@2",
        "rtsp://me@10.0.0.5:554/live@2",
        "https://door.example/a b".replace(" ", "%20"),
        "/media/a clip.mp4",
        "auto",
    ],
)
def test_right_addresses_and_other_sources_have_no_fault(source: str) -> None:
    assert fault_of_url(source) is None


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("rtsp://", "names no host"),
        ("rtsp:///live", "names no host"),
        ("rtsp://<ip>:554/live", "'<ip>' is no host"),
        ("rtsp://::1:554/live", "stands in brackets"),
        ("rtsp://fd00::20/live", "stands in brackets"),
        ("rtsp://10.0.0.5:99999/live", "is no port"),
        ("rtsp://10.0.0.5:x/live", "is no port"),
        ("http://10.0.0.5/a b", "write %20"),
        ("rtsp://10.0.0.5/live ", "write %20"),
        ("rtsp://me:se#cret@10.0.0.5/live", "write %2F, %3F or %23"),
        ("rtsp://me:se/cret@10.0.0.5/live", "write %2F, %3F or %23"),
        ("rtsp://me:se?cret@10.0.0.5/live", "write %2F, %3F or %23"),
        ("rtsp://me@home.lan:se/cret@10.0.0.5/live", "write %2F, %3F or %23"),
    ],
)
def test_a_wrong_address_is_told_in_words_and_no_password(source: str, fault: str) -> None:
    told = fault_of_url(source)
    assert told is not None
    assert fault in told
    assert "cret" not in told + redact(source)


@pytest.mark.parametrize(
    "password", ["cret", "it's-cret", "a cret", "se@cret", "se/cret", "c?ret#"]
)
@pytest.mark.parametrize("user", ["me", "me@home.lan", ""])
def test_logins_are_taken_out_of_addresses_and_the_host_stays(user: str, password: str) -> None:
    shown = redact(f"cannot read rtsp://{user}:{password}@10.0.0.5:554/live")
    assert shown.startswith("cannot read rtsp://***@")
    assert shown.endswith("10.0.0.5:554/live")
    assert "ret" not in shown.removeprefix("cannot read")


def test_a_host_that_nobody_knows_is_named() -> None:
    assert "no host 'nosuch.invalid' is known" in str(unknown_host_of("rtsp://nosuch.invalid/x"))
    assert unknown_host_of("rtsp://127.0.0.1/x") is None
