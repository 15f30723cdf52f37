"""Our messages in their own pool: beside every client, in any order of import, and generated."""

import copy
import itertools
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format

from camfleet_contracts.protocols import POOL, inference_pb2, serving_pb2

IMPORTS = {
    "ours": "from camfleet_contracts.protocols import inference_pb2, serving_pb2",
    "ovmsclient": "import ovmsclient",
    "triton-grpc": "import tritonclient.grpc",
    "serving-api": (
        "import tensorflow_stubs; tensorflow_stubs.install(); "
        "from tensorflow_serving.apis import prediction_service_pb2_grpc, model_service_pb2_grpc"
    ),
}
ORDERS = list(itertools.permutations(IMPORTS))
FORK_EACH = """
import os, sys
import grpc, numpy, requests, google.protobuf.descriptor_pb2  # what none of them brings itself
for statements in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        exec(statements)
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit(statements)
"""


@pytest.mark.interop
def test_all_clients_and_our_messages_import_together_in_every_order() -> None:
    orders = ["; ".join(IMPORTS[name] for name in order) for order in ORDERS]
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK_EACH, *orders],
        cwd=Path(__file__).parent,
        env={"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr


def signature_map() -> serving_pb2.SignatureDefMap:
    signatures = serving_pb2.SignatureDefMap()
    signatures.signature_def["serving_default"].method_name = "predict"
    return signatures


def test_any_keeps_the_type_name_of_the_wire() -> None:
    response = serving_pb2.GetModelMetadataResponse()
    response.metadata["signature_def"].Pack(signature_map())
    packed = response.metadata["signature_def"]
    unpacked = serving_pb2.SignatureDefMap()
    assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    assert packed.Unpack(unpacked)
    assert unpacked == signature_map()


def test_any_is_written_as_json_with_our_pool() -> None:
    response = serving_pb2.GetModelMetadataResponse()
    response.metadata["signature_def"].Pack(signature_map())
    written = json_format.MessageToDict(response, descriptor_pool=POOL)
    signature = written["metadata"]["signature_def"]["signatureDef"]["serving_default"]
    assert signature == {"methodName": "predict"}


def test_messages_can_be_copied_and_pickled() -> None:
    request = inference_pb2.ModelInferRequest(model_name="m", raw_input_contents=[b"1"])
    pickled = pickle.dumps(request)
    assert copy.deepcopy(request) == request
    assert pickle.loads(pickled) == request  # noqa: S301 - written one line above


def test_committed_messages_are_what_the_generator_writes(repository: Path, tmp_path: Path) -> None:
    generated = repository / "proto" / "src" / "camfleet_contracts" / "_generated"
    subprocess.run([sys.executable, repository / "proto" / "generate.py", tmp_path], check=True)
    written = {path.name: path.read_text() for path in tmp_path.glob("*_pb2.py*")}
    assert written == {name: (generated / name).read_text() for name in written}
    assert len(written) == 6
