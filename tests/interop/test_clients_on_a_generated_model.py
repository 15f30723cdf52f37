"""Every client against a real server process with a model made on the spot."""

import numpy as np
import ovmsclient
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

from other_clients import CLIENTS, Address, only_output

pytestmark = pytest.mark.interop

FOUR = np.array([[1, 2, 3, 4]], np.float32)
UNKNOWN_MODEL = "Model with requested name is not found"


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_gets_the_numbers_of_the_latest_version(adder: Address, client: str) -> None:
    answer = CLIENTS[client](adder, "adder", {"x": FOUR})
    np.testing.assert_array_equal(only_output(answer), FOUR + 2)
    assert answer.version in {2, None}


def test_ovmsclient_asks_for_a_version(adder: Address) -> None:
    client = ovmsclient.make_grpc_client(adder.grpc)
    np.testing.assert_array_equal(client.predict({"x": FOUR}, "adder", 1), FOUR + 1)


@pytest.mark.parametrize("make", ["make_grpc_client", "make_http_client"])
def test_ovmsclient_reads_status_and_metadata(adder: Address, make: str) -> None:
    address = adder.grpc if make == "make_grpc_client" else adder.rest
    client = getattr(ovmsclient, make)(address)
    metadata = client.get_model_metadata("adder")
    status = client.get_model_status("adder")
    assert metadata["inputs"] == {"x": {"shape": [1, 4], "dtype": "DT_FLOAT"}}
    assert metadata["model_version"] == 2
    assert {version: entry["state"] for version, entry in status.items()} == {
        1: "AVAILABLE",
        2: "AVAILABLE",
    }


@pytest.mark.parametrize("make", ["make_grpc_client", "make_http_client"])
def test_ovmsclient_knows_our_errors(adder: Address, make: str) -> None:
    address = adder.grpc if make == "make_grpc_client" else adder.rest
    client = getattr(ovmsclient, make)(address)
    with pytest.raises(ovmsclient.ModelNotFoundError, match=UNKNOWN_MODEL):
        client.predict({"x": FOUR}, "nope")
    with pytest.raises(ovmsclient.InvalidInputError, match="Invalid input shape"):
        client.predict({"x": FOUR[:, :2]}, "adder")
    with pytest.raises(ovmsclient.InvalidInputError, match="Invalid number of inputs"):
        client.predict({"x": FOUR, "z": FOUR}, "adder")


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_tritonclient_reads_health_and_metadata(adder: Address, kind: str) -> None:
    module = tritonclient.grpc if kind == "grpc" else tritonclient.http
    options = {"as_json": True} if kind == "grpc" else {}
    client = module.InferenceServerClient(adder.grpc if kind == "grpc" else adder.rest)
    metadata = client.get_model_metadata("adder", **options)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("adder", "1")
    assert not client.is_model_ready("adder", "9")
    assert (metadata["inputs"][0]["name"], metadata["inputs"][0]["datatype"]) == ("x", "FP32")
    assert [int(size) for size in metadata["inputs"][0]["shape"]] == [1, 4]
    assert sorted(metadata["versions"]) == ["1", "2"]
    client.close()


def test_tritonclient_gets_the_manifest_with_the_model_config(adder: Address) -> None:
    with tritonclient.grpc.InferenceServerClient(adder.grpc) as client:
        config = client.get_model_config("adder").config
        index = client.get_model_repository_index()
    assert '"purpose"' in config.parameters["camfleet.manifest"].string_value
    assert {(model.version, model.state) for model in index.models} == {
        ("1", "READY"),
        ("2", "READY"),
    }


def test_tritonclient_greps_its_own_words_for_an_unknown_model(adder: Address) -> None:
    with (
        tritonclient.grpc.InferenceServerClient(adder.grpc) as client,
        pytest.raises(InferenceServerException, match="Request for unknown model") as refused,
    ):
        client.get_model_metadata("nope")
    assert UNKNOWN_MODEL in str(refused.value)
