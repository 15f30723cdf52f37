"""What requests over REST can have wrong, and a server that goes on."""

import json
from collections.abc import Iterator

import pytest

from adders import EVERYWHERE, Ask, Ports, serving_adders

TFS = "/v1/models/adder:predict"
KSERVE = "/v2/models/adder/infer"
NO_FORMAT = "Invalid JSON structure. Could not detect row or column format"
NO_ROWS = "Could not parse instance content. Not valid ndarray detected"
NEGATIVE_SIZE = b"""{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4],
                     "parameters": {"binary_data_size": -4}}]}"""
NO_COLUMN = "Could not parse input content. Not valid ndarray detected"


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with serving_adders(tmp_path_factory.mktemp("bad-inputs")) as ports:
        yield ports


@pytest.mark.parametrize(
    ("path", "body", "code", "text"),
    [
        (TFS, b"", 400, "Invalid JSON structure"),
        (TFS, b"{", 400, "Invalid JSON structure"),
        (TFS, b"[]", 400, "Invalid JSON structure"),
        (TFS, b"\xff\xfe\xfd", 400, "Invalid JSON structure"),
        (TFS, b'{"inputs": ' + b"1" * 5000 + b"}", 400, "structure - a number has too many digits"),
        (TFS, b"{}", 400, NO_FORMAT),
        (TFS, b'{"instances": [], "inputs": []}', 400, NO_FORMAT),
        (TFS, b'{"instances": {}}', 400, NO_ROWS),
        (TFS, b'{"instances": []}', 400, NO_ROWS),
        (TFS, b'{"inputs": [[1, 2, 3, 4], [1]]}', 400, f"{NO_COLUMN} - the lists differ in length"),
        (
            TFS,
            b'{"inputs": [[1, 2, 3, null]]}',
            400,
            f"{NO_COLUMN} - FP32 cannot hold null, objects",
        ),
        (TFS, b'{"inputs": [[1, 2, 3, "4"]]}', 400, f"{NO_COLUMN} - FP32 cannot hold text"),
        (TFS, b'{"inputs": [["a", "b", "c", "d"]]}', 400, "input name: x"),
        (TFS, b'{"inputs": null}', 400, "input name: x"),
        ("/v1/models/adder/versions/x:predict", b"{}", 400, "Could not parse model version"),
        ("/v1/models/adder/labels/x:predict", b'{"inputs": 1}', 400, "Unrecognized servable"),
        ("/v1/models/adder:classify", b"{}", 501, "classify is not offered"),
        (TFS, b'{"inputs": {"\\ud800": [[1, 2, 3, 4]]}}', 400, r"Required input: x; sent: \\ud800"),
        ("/v1/models/adder:predic", b"{}", 400, "':predic' is not a verb; use :predict"),
        ("/v1/models", b"{}", 400, "Invalid request URL"),
        ("/v2/health/live", b"", 405, "Unsupported method"),
        (KSERVE, b"{", 400, "Invalid JSON structure"),
        (KSERVE, b'{"inputs": {}}', 400, "Expected: a list"),
        (KSERVE, b'{"inputs": [{"name": "x"}]}', 400, "'datatype' is missing"),
        (
            KSERVE,
            b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1]}]}',
            400,
            "Expected: 4 values; Actual: 1 values; input name: x",
        ),
        (
            KSERVE,
            b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, "a"], "data": [1]}]}',
            400,
            "input name: x",
        ),
        (KSERVE, b'{"inputs": [{"name": "x", "datatype": "FP7", "shape": [1]}]}', 400, "FP7"),
        (
            KSERVE,
            NEGATIVE_SIZE,
            400,
            "parameter 'binary_data_size' - Expected: a whole number; Actual: -4",
        ),
        ("/v2/models/adder/versions/x/infer", b"{}", 400, "Could not parse model version"),
    ],
    ids=range(29),
)
def test_over_rest(ports: Ports, path: str, body: bytes, code: int, text: str) -> None:
    answer = ports.post(path, content=body)
    assert answer.code == code
    assert text in answer.text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        ("99", "Inference-Header-Content-Length header exceeds actual payload length"),
        ("x", "Inference-Header-Content-Length"),
        ("9" * 5000, "Inference-Header-Content-Length"),
        ("1", "Invalid JSON structure"),
    ],
)
def test_the_length_of_the_json_is_wrong(ports: Ports, length: str, text: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    answer = ports.post(KSERVE, content=b"{}", headers=headers)
    assert answer.code == 400
    assert text in answer.text


@pytest.mark.parametrize(
    ("told", "sent", "text"),
    [
        ({"parameters": {"binary_data_size": 16}}, 20, "4 bytes are left behind"),
        ({"data": [1, 2, 3, 4]}, 16, "16 bytes are left behind"),
        (
            {"data": [1, 2, 3, 4], "parameters": {"binary_data_size": 16}},
            16,
            "both in data and by binary_data_size is not allowed; input name: x",
        ),
    ],
    ids=["too-many", "unnamed", "both"],
)
def test_bytes_that_would_be_passed_over_are_refused(
    ports: Ports, told: dict[str, object], sent: int, text: str
) -> None:
    item = {"name": "x", "datatype": "FP32", "shape": [1, 4], **told}
    head = json.dumps({"inputs": [item]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    answer = ports.post(KSERVE, content=head + bytes(sent), headers=headers)
    assert answer.code == 400
    assert text in answer.text


@pytest.mark.parametrize("protocol", ["tfs-rest", "kserve-rest"])
def test_after_all_that_the_server_answers(ports: Ports, protocol: str) -> None:
    assert EVERYWHERE[protocol](ports, Ask()).code in {"OK", 200}
