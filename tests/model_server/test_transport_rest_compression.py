"""Compressed bodies over REST, both ways."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from transport_callers import RestCaller, serving_rest

INFER = "/v2/models/pair/infer"
PAIR = {
    "inputs": [
        {"name": name, "datatype": "INT32", "shape": [1, 2], "data": [3, 4]}
        for name in ("left", "right")
    ]
}
PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
UNPACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@pytest.fixture(scope="module")
def caller() -> Iterator[RestCaller]:
    with serving_rest() as caller:
        yield caller


@pytest.mark.parametrize("encoding", PACK)
def test_a_compressed_request_is_unpacked(caller: RestCaller, encoding: str) -> None:
    body = PACK[encoding](json.dumps(PAIR).encode())
    response = caller.post(INFER, content=body, headers={"content-encoding": encoding})
    assert response.json()["outputs"][0]["data"] == [6, 8]


def test_the_length_of_the_json_counts_before_compression(caller: RestCaller) -> None:
    raw = np.array([3, 4], np.int32).tobytes()
    described = {"datatype": "INT32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}
    head = json.dumps({"inputs": [{"name": n, **described} for n in ("left", "right")]}).encode()
    headers = {
        "content-encoding": "gzip",
        "Inference-Header-Content-Length": str(len(head)),
    }
    response = caller.post(INFER, content=gzip.compress(head + raw + raw), headers=headers)
    assert response.json()["outputs"][0]["data"] == [6, 8]


@pytest.mark.parametrize("encoding", PACK)
def test_an_answer_is_compressed_for_who_asks_for_one_encoding(
    caller: RestCaller, encoding: str
) -> None:
    headers = {"accept-encoding": encoding}
    with caller.http.stream("POST", INFER, json=PAIR, headers=headers) as response:
        body = b"".join(response.iter_raw())
    assert response.headers["content-encoding"] == encoding
    assert json.loads(UNPACK[encoding](body))["outputs"][0]["data"] == [6, 8]


def test_a_list_of_encodings_is_no_wish(caller: RestCaller) -> None:
    response = caller.post(INFER, json=PAIR, headers={"accept-encoding": "gzip, deflate, br"})
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize(
    ("encoding", "body", "status", "text"),
    [
        ("gzip", b"no gzip", 400, "Request body is not valid gzip"),
        ("deflate", zlib.compress(b"{}" * 1000)[:-9], 400, "Request body is not valid deflate"),
        ("gzip", gzip.compress(b"{}") + b"more", 400, "more follows it"),
        ("br", b"...", 415, "use gzip, deflate or none"),
        ("gzip", gzip.compress(bytes(65 << 20), 1), 413, "JSON exceeds"),
    ],
    ids=["garbage", "cut", "trailing", "other encoding", "bomb"],
)
def test_what_cannot_be_unpacked_is_refused(
    caller: RestCaller, encoding: str, body: bytes, status: int, text: str
) -> None:
    response = caller.post(INFER, content=body, headers={"content-encoding": encoding})
    assert response.status_code == status
    assert text in response.json()["error"]
