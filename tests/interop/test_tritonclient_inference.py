"""Inference with tritonclient beyond plain tensors: shared memory, classes, parameters, streams."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
import tritonclient.utils.shared_memory as shm
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException, serialize_byte_tensor

from other_clients import Address

pytestmark = pytest.mark.interop

TIMEOUT_S = 60
ROW = np.arange(16, dtype=np.int32)[None]
ONES = np.ones_like(ROW)
MODULES: dict[str, Any] = {"grpc": tritonclient.grpc, "http": tritonclient.http}


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> Any:
    return MODULES[request.param]


@pytest.fixture
def client(module: Any, triton: Address) -> Iterator[Any]:
    address = triton.grpc if module is tritonclient.grpc else triton.rest
    with module.InferenceServerClient(address) as made:
        yield made


def tensor(module: Any, name: str, array: NDArray[Any], datatype: str = "INT32") -> Any:
    made = module.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array)
    return made


def pair(module: Any) -> list[Any]:
    return [tensor(module, "INPUT0", ROW), tensor(module, "INPUT1", ONES)]


class Segments:
    """Segments of shared memory that are known to the server until the test ends."""

    def __init__(self, client: Any, stack: ExitStack) -> None:
        self._client = client
        self._stack = stack

    def make(self, name: str, size: int, content: NDArray[Any] | None = None) -> Any:
        handle = shm.create_shared_memory_region(name, f"/camfleet-{name}", size, create_only=True)
        self._stack.callback(shm.destroy_shared_memory_region, handle)
        if content is not None:
            shm.set_shared_memory_region(handle, [content])
        self._client.register_system_shared_memory(name, f"/camfleet-{name}", size)
        self._stack.callback(self._client.unregister_system_shared_memory, name)
        return handle


@pytest.fixture
def segments(client: Any) -> Iterator[Segments]:
    with ExitStack() as stack:
        yield Segments(client, stack)


def test_tensors_go_both_ways_through_shared_memory(
    client: Any, module: Any, segments: Segments
) -> None:
    segments.make("inputs", 128, np.concatenate([ROW, ONES]))
    answers = segments.make("outputs", 128)
    inputs = [module.InferInput(name, [1, 16], "INT32") for name in ("INPUT0", "INPUT1")]
    outputs = [module.InferRequestedOutput(name) for name in ("OUTPUT0", "OUTPUT1")]
    for at, (given, wanted) in enumerate(zip(inputs, outputs, strict=True)):
        given.set_shared_memory("inputs", 64, offset=64 * at)
        wanted.set_shared_memory("outputs", 64, offset=64 * at)
    result = client.infer("simple", inputs, outputs=outputs)
    if module is tritonclient.http:  # the C++ client would read bytes that did not come
        assert "parameters" not in result.get_output("OUTPUT0")
    found = shm.get_contents_as_numpy(answers, np.int32, [2, 16])
    np.testing.assert_array_equal(found, np.concatenate([ROW + 1, ROW - 1]))


def test_texts_go_both_ways_through_shared_memory(
    client: Any, module: Any, segments: Segments
) -> None:
    texts = np.array([[str(number).encode() for number in range(16)]], object)
    packed = serialize_byte_tensor(texts)
    size = len(packed.item())
    segments.make("texts", size, packed)
    answers = segments.make("echo", size)
    given = module.InferInput("INPUT0", [1, 16], "BYTES")
    given.set_shared_memory("texts", size)
    wanted = module.InferRequestedOutput("OUTPUT0")
    wanted.set_shared_memory("echo", size)
    client.infer("simple_identity", [given], outputs=[wanted])
    found = shm.get_contents_as_numpy(answers, np.object_, [1, 16])
    assert found.tolist() == texts.tolist()


def test_shared_memory_and_bytes_mix_in_one_request(
    client: Any, module: Any, segments: Segments
) -> None:
    segments.make("one-input", 64, ONES)
    given = module.InferInput("INPUT1", [1, 16], "INT32")
    given.set_shared_memory("one-input", 64)
    result = client.infer("simple", [tensor(module, "INPUT0", ROW), given])
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


def test_a_place_outside_the_region_is_refused(
    client: Any, module: Any, segments: Segments
) -> None:
    segments.make("short", 64, ONES)
    given = module.InferInput("INPUT1", [1, 16], "INT32")
    given.set_shared_memory("short", 64, offset=8)
    with pytest.raises(InferenceServerException, match="Invalid offset \\+ byte size"):
        client.infer("simple", [tensor(module, "INPUT0", ROW), given])


def test_status_tells_the_regions(client: Any, segments: Segments) -> None:
    segments.make("told", 64)
    status = str(client.get_system_shared_memory_status("told"))
    assert "/camfleet-told" in status
    assert "64" in status


def test_a_region_is_registered_once(client: Any, segments: Segments) -> None:
    segments.make("twice", 64)
    with pytest.raises(InferenceServerException, match="'twice' already in manager"):
        client.register_system_shared_memory("twice", "/camfleet-twice", 64)


def test_classes_carry_value_index_and_label(client: Any, module: Any) -> None:
    wanted = module.InferRequestedOutput("OUTPUT0", class_count=2)
    result = client.infer("simple", pair(module), outputs=[wanted])
    assert result.as_numpy("OUTPUT0").tolist() == [[b"16:15:label-15", b"15:14:label-14"]]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sequence_id": 7, "sequence_start": True}, "sequences are not offered"),
        ({"sequence_id": "camera"}, "sequences are not offered"),
        ({"timeout": 1}, "Request timeout expired"),
        ({"model_version": "9"}, "version 9 is not found"),
    ],
    ids=["sequence", "sequence of text", "timeout", "version"],
)
def test_what_cannot_be_honoured_is_refused(
    client: Any, module: Any, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(InferenceServerException, match=text):
        client.infer("simple", pair(module), **options)


def test_priority_timeout_and_custom_parameters_are_taken(client: Any, module: Any) -> None:
    result = client.infer(
        "simple",
        pair(module),
        request_id="r-1",
        priority=1,
        timeout=20_000_000,
        parameters={"stream_id": "door"},
    )
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), ROW - 1)


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_http_compresses_both_ways(triton: Address, algorithm: str) -> None:
    with tritonclient.http.InferenceServerClient(triton.rest) as client:
        result = client.infer(
            "simple",
            pair(tritonclient.http),
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


def test_grpc_compresses(triton: Address) -> None:
    with tritonclient.grpc.InferenceServerClient(triton.grpc) as client:
        result = client.infer("simple", pair(tritonclient.grpc), compression_algorithm="gzip")
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


@pytest.mark.parametrize("is_binary", [True, False])
def test_http_outputs_are_binary_one_by_one(triton: Address, is_binary: bool) -> None:
    outputs = [
        tritonclient.http.InferRequestedOutput("OUTPUT0", binary_data=is_binary),
        tritonclient.http.InferRequestedOutput("OUTPUT1", binary_data=not is_binary),
    ]
    with tritonclient.http.InferenceServerClient(triton.rest) as client:
        result = client.infer("simple", pair(tritonclient.http), outputs=outputs)
    assert ("data" in result.get_output("OUTPUT0")) is not is_binary
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), ROW - 1)


def test_http_sends_typed_json(triton: Address) -> None:
    inputs = []
    for name, array in (("INPUT0", ROW), ("INPUT1", ONES)):
        inputs.append(tritonclient.http.InferInput(name, [1, 16], "INT32"))
        inputs[-1].set_data_from_numpy(array, binary_data=False)
    with tritonclient.http.InferenceServerClient(triton.rest) as client:
        result = client.infer("simple", inputs)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


def test_async_infer_over_http(triton: Address) -> None:
    with tritonclient.http.InferenceServerClient(triton.rest) as client:
        result = client.async_infer("simple", pair(tritonclient.http)).get_result(timeout=TIMEOUT_S)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


def test_async_infer_and_streams_over_grpc(triton: Address) -> None:
    answers: queue.Queue[Any] = queue.Queue()

    def keep(result: Any, error: Any) -> None:
        answers.put(error or result)

    with tritonclient.grpc.InferenceServerClient(triton.grpc) as client:
        client.async_infer("simple", pair(tritonclient.grpc), keep)
        client.start_stream(keep)
        client.async_stream_infer("simple", pair(tritonclient.grpc))
        results = [answers.get(timeout=TIMEOUT_S) for _ in range(2)]
        client.stop_stream()
    for result in results:
        np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


def test_infer_over_http_aio(triton: Address) -> None:
    async def ask() -> Any:
        async with tritonclient.http.aio.InferenceServerClient(triton.rest) as client:
            return await client.infer("simple", pair(tritonclient.http.aio))

    np.testing.assert_array_equal(asyncio.run(ask()).as_numpy("OUTPUT0"), ROW + 1)


def test_infer_and_streams_over_grpc_aio(triton: Address) -> None:
    async def requests() -> AsyncIterator[dict[str, Any]]:
        yield {"model_name": "simple", "inputs": pair(tritonclient.grpc.aio)}

    async def ask() -> list[Any]:
        async with tritonclient.grpc.aio.InferenceServerClient(triton.grpc) as client:
            one = await client.infer("simple", pair(tritonclient.grpc.aio))
            return [one, *[answer[0] async for answer in client.stream_infer(requests())]]

    results = asyncio.run(ask())
    assert len(results) == 2
    for result in results:
        np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


def test_a_model_is_loaded_and_unloaded_on_request(client: Any, module: Any) -> None:
    client.load_model("on_request")
    assert client.is_model_ready("on_request")
    result = client.infer("on_request", pair(module))
    client.unload_model("on_request", unload_dependents=True)
    assert not client.is_model_ready("on_request")
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), ROW + 1)


def test_statistics_count_failures(client: Any, module: Any, triton: Address) -> None:
    with tritonclient.http.InferenceServerClient(triton.rest) as asking:
        before = asking.get_inference_statistics("simple")["model_stats"][0]["inference_stats"]
        with pytest.raises(InferenceServerException, match="Invalid number of inputs"):
            client.infer("simple", pair(module)[:1])
        after = asking.get_inference_statistics("simple")["model_stats"][0]["inference_stats"]
    assert after["fail"]["count"] - before["fail"]["count"] == 1
    assert after["success"] == before["success"]


def test_statistics_count_requests_and_rows(triton: Address) -> None:
    twice = [tensor(tritonclient.http, n, np.concatenate([ROW, ROW])) for n in ("INPUT0", "INPUT1")]
    with tritonclient.http.InferenceServerClient(triton.rest) as client:
        before = client.get_inference_statistics("simple", "1")["model_stats"][0]
        client.infer("simple", twice)
        after = client.get_inference_statistics("simple", "1")["model_stats"][0]
    assert after["inference_count"] - before["inference_count"] == 2
    assert after["execution_count"] - before["execution_count"] == 1
    assert after["last_inference"] >= before["last_inference"] > 1_700_000_000_000
    assert after["inference_stats"]["compute_infer"]["ns"] > 0
