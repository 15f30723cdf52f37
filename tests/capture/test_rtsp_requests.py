"""The text of RTSP requests: what is read out of one, and what is refused and why."""

import pytest

from camfleet_capture.rtsp.requests import (
    Refused,
    Request,
    WantedTransport,
    format_response,
    parse_request,
    parse_transport,
)

FIRST = b"SETUP rtsp://10.0.0.7:8554/front%20door/trackID=0?low_latency=1 RTSP/1.0\r\n"


def request(uri: str = "rtsp://h/door", **headers: str) -> Request:
    return Request("OPTIONS", uri, {name.replace("_", "-"): v for name, v in headers.items()})


def test_a_request_has_its_headers_whatever_their_case_and_spaces() -> None:
    read = parse_request(FIRST + b"CSeq: 7\r\nSESSION:  0a1b;timeout=60 \r\n\r\n")
    assert (read.method, read.camera, read.sequence) == ("SETUP", "front door", "7")
    assert read.session == "0a1b"
    assert read.wants_low_latency


@pytest.mark.parametrize(
    ("head", "code", "reason"),
    [
        (b"OPTIONS rtsp://h/x", 400, "METHOD URL RTSP/1.0"),
        (b"options rtsp://h/x RTSP/1.0", 400, "METHOD URL RTSP/1.0"),
        (b"OPTIONS rtsp://h/x HTTP/1.1", 400, "METHOD URL RTSP/1.0"),
        (b"OPTIONS rtsp://h/x RTSP/2.0", 505, "speaks RTSP/1.0"),
        (b"OPTIONS rtsp://[h/x RTSP/1.0", 400, "URL cannot be read"),
        (FIRST + b"CSeq 7", 400, "a header needs a colon"),
        (FIRST + b"a: b\r\n" * 65, 400, "more than 64 headers"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(head: bytes, code: int, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        parse_request(head)
    assert refused.value.code == code


def test_as_many_headers_as_are_allowed_are_read() -> None:
    assert len(parse_request(FIRST + b"".join(b"h%d: x\r\n" % n for n in range(64))).headers) == 64


@pytest.mark.parametrize(
    ("header", "is_tcp", "ports"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=4-5", True, (4, 5)),
        ("RTP/AVP/TCP;unicast;interleaved=4", True, (4, 5)),
        ("RTP/AVP/TCP", True, (0, 1)),
        ("rtp/avp;unicast;client_port=5000-5001", False, (5000, 5001)),
        ("RTP/AVP/UDP;client_port=5000", False, (5000, 5001)),
        ("RTP/AVP;client_port=1024-65535", False, (1024, 65535)),
        ("RTP/AVP;multicast;port=5000-5001,RTP/AVP/TCP;interleaved=254-255", True, (254, 255)),
    ],
)
def test_the_first_transport_that_can_be_served_is_taken(
    header: str, is_tcp: bool, ports: tuple[int, int]
) -> None:
    assert parse_transport(header) == WantedTransport(is_tcp, *ports)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "RTP/SAVP;unicast;client_port=5000-5001",
        "RTP/AVP;unicast",
        "RTP/AVP;multicast;client_port=5000-5001",
        "RTP/AVP;client_port=1023-1024",
        "RTP/AVP;client_port=1024-1023",
        "RTP/AVP;client_port=65535",
        "RTP/AVP/TCP;interleaved=255-256",
    ],
)
def test_other_transports_are_refused(header: str) -> None:
    with pytest.raises(Refused, match="use RTP/AVP/TCP;interleaved") as refused:
        parse_transport(header)
    assert refused.value.code == 461


@pytest.mark.parametrize(
    ("asked", "wants"),
    [
        (request(user_agent="camfleet/1"), True),
        (request("rtsp://h/door?low_latency=1"), True),
        (request("rtsp://h/door?low_latency=0"), False),
        (request(user_agent="Lavf60"), False),
    ],
)
def test_low_latency_is_for_our_reader_and_who_asks_for_it(asked: Request, wants: bool) -> None:
    assert asked.wants_low_latency is wants


def test_an_answer_carries_the_number_of_its_request_and_the_length_of_its_body() -> None:
    head, _, body = format_response(404, "7", ("Retry-After: 1",), "no cämera\n").partition(
        b"\r\n\r\n"
    )
    assert head.split(b"\r\n")[:2] == [b"RTSP/1.0 404 Not Found", b"CSeq: 7"]
    assert b"Retry-After: 1" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.decode() == "no cämera\n"
