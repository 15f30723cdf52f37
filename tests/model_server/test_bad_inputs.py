"""What a request can have wrong: code and text on every protocol, and a server that goes on.

The texts are OpenVINO Model Server's; the codes too, but where docs/compatibility.md says why not.
Pictures have their rows in test_images_protocols.py.
"""

from collections.abc import Iterator

import numpy as np
import pytest

from adders import EVERYWHERE, Ask, Ports, serving_adders, zeros

TYPED = ("tfs-grpc", "kserve-grpc", "kserve-rest")  # where a request tells its types


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with serving_adders(tmp_path_factory.mktemp("bad-inputs")) as ports:
        yield ports


@pytest.mark.parametrize("protocol", EVERYWHERE)
@pytest.mark.parametrize(
    ("ask", "code", "text"),
    [
        (Ask("nope"), "NOT_FOUND", "Model with requested name is not found"),
        (Ask("nope"), "NOT_FOUND", "Request for unknown model: 'nope' is not found"),
        (Ask(version=9), "NOT_FOUND", "Model with requested version is not found"),
        (Ask(version=1), "NOT_FOUND", "Model with requested version is retired"),
        (Ask("garbage"), "UNAVAILABLE", "Model with requested version is not loaded yet"),
        (Ask("garbage"), "UNAVAILABLE", "reason: version 1: "),
        (
            Ask(inputs=zeros(1, 4) | zeros(1, 4, name="z")),
            "INVALID_ARGUMENT",
            "Invalid number of inputs - Expected: 1; Actual: 2; inputs: x",
        ),
        (Ask(inputs={}), "INVALID_ARGUMENT", "Invalid number of inputs - Expected: 1; Actual: 0"),
        (
            Ask(inputs=zeros(1, 4, name="z")),
            "INVALID_ARGUMENT",
            "Missing input with specific name - Required input: x; sent: z",
        ),
        (
            Ask(inputs=zeros(4)),
            "INVALID_ARGUMENT",
            "Invalid number of shape dimensions - Expected: (1,4); Actual: (4); input name: x",
        ),
        (
            Ask(inputs=zeros(2, 4)),
            "INVALID_ARGUMENT",
            "Invalid input batch size - Expected: 1; Actual: 2; input name: x",
        ),
        (
            Ask(inputs=zeros(1, 5)),
            "INVALID_ARGUMENT",
            "Invalid input shape - Expected: (1,4); Actual: (1,5); input name: x",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_protocol_refuses_alike(
    ports: Ports, protocol: str, ask: Ask, code: str, text: str
) -> None:
    answer = EVERYWHERE[protocol](ports, ask)
    assert answer.code == code
    assert text in answer.text


@pytest.mark.parametrize("protocol", TYPED)
@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (
            Ask(inputs=zeros(1, 4, dtype=np.uint8)),
            "Invalid input precision - Expected: FP32; Actual: UINT8; input name: x",
        ),
        (
            Ask(inputs=zeros(1, 4, dtype=np.float64)),
            "Invalid input precision - Expected: FP32; Actual: FP64; input name: x",
        ),
        (Ask(output="z"), "Missing output with specific name - Requested output: z; outputs: y"),
    ],
    ids=["uint8", "double", "output"],
)
def test_wrong_types_and_outputs(ports: Ports, protocol: str, ask: Ask, text: str) -> None:
    answer = EVERYWHERE[protocol](ports, ask)
    assert answer.code == "INVALID_ARGUMENT"
    assert text in answer.text


@pytest.mark.parametrize("protocol", EVERYWHERE)
def test_after_all_that_the_server_answers(ports: Ports, protocol: str) -> None:
    assert EVERYWHERE[protocol](ports, Ask()).code in {"OK", 200}
