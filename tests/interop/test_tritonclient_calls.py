"""Every public call of the four tritonclients against one server: answered, or refused clearly."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException

from other_clients import Address

pytestmark = pytest.mark.interop

TIMEOUT_S = 60
FLAVOURS: dict[str, Any] = {
    "grpc": tritonclient.grpc,
    "http": tritonclient.http,
    "grpc-aio": tritonclient.grpc.aio,
    "http-aio": tritonclient.http.aio,
}
OF_THE_CLIENT_ALONE = {
    *("close", "plugin", "register_plugin", "unregister_plugin"),
    *("generate_request_body", "parse_response_body"),
}
INFERENCES = {"infer", "async_infer", "start_stream", "stop_stream", "async_stream_infer"} | {
    "stream_infer"
}


@dataclass(frozen=True)
class Call:
    """One call, and a text in its answer, or in the error it is refused with."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    answer: str = ""
    refusal: str = ""


CALLS = (
    Call("is_server_live", answer="True"),
    Call("is_server_ready", answer="True"),
    Call("is_model_ready", {"model_name": "simple"}, answer="True"),
    Call("is_model_ready", {"model_name": "nope"}, answer="False"),
    Call("get_server_metadata", answer="system_shared_memory"),
    Call("get_model_metadata", {"model_name": "simple"}, answer="INPUT1"),
    Call("get_model_metadata", {"model_name": "nope"}, refusal="Request for unknown model"),
    Call("get_model_config", {"model_name": "simple"}, answer="camfleet.manifest"),
    Call("get_model_repository_index", answer="READY"),
    Call("get_inference_statistics", answer="inference_stats"),
    Call("get_inference_statistics", {"model_name": "simple"}, answer="compute_infer"),
    Call("get_inference_statistics", {"model_name": "nope"}, refusal="unknown model: 'nope'"),
    Call("load_model", {"model_name": "simple"}),
    Call("load_model", {"model_name": "nope"}, refusal="failed to load 'nope', no version found"),
    Call(
        "load_model",
        {"model_name": "simple", "config": '{"max_batch_size": 16}'},
        refusal="failed to load 'simple', parameter 'config' - max_batch_size",
    ),
    Call(
        "load_model",
        {"model_name": "simple", "config": "{}", "files": {"file:../evil": b"x"}},
        refusal="Invalid file path",
    ),
    Call("unload_model", {"model_name": "nope"}, refusal="unknown model: 'nope'"),
    Call("get_log_settings", answer="log_verbose_level"),
    Call("update_log_settings", {"settings": {"log_verbose_level": 0}}, answer="log_info"),
    Call("update_log_settings", {"settings": {"log_file": "x"}}, refusal="'log_file' cannot be"),
    Call("get_trace_settings", answer="OFF"),
    Call("get_trace_settings", {"model_name": "simple"}, answer="OFF"),
    Call("update_trace_settings", {"settings": {"trace_level": ["OFF"]}}, answer="OFF"),
    Call(
        "update_trace_settings",
        {"settings": {"trace_level": ["TIMESTAMPS"]}},
        refusal="trace_level stays OFF",
    ),
    Call(
        "register_system_shared_memory",
        {"name": "r", "key": "not-there", "byte_size": 8},
        refusal="Unable to open shared memory region: 'r'",
    ),
    Call("get_system_shared_memory_status"),
    Call("get_system_shared_memory_status", {"region_name": "r"}, refusal="Unable to find"),
    Call("unregister_system_shared_memory"),
    Call("get_cuda_shared_memory_status"),
    Call(
        "register_cuda_shared_memory",
        {"name": "r", "raw_handle": "AAAA", "device_id": 0, "byte_size": 8},
        refusal="CUDA shared memory is not offered",
    ),
    Call("unregister_cuda_shared_memory"),
)


def public_calls(module: Any) -> set[str]:
    members = inspect.getmembers(module.InferenceServerClient, callable)
    return {name for name, _ in members if not name.startswith("_")}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_no_call_of_a_client_is_missing_here(flavour: str) -> None:
    known = {call.name for call in CALLS} | OF_THE_CLIENT_ALONE | INFERENCES
    assert public_calls(FLAVOURS[flavour]) - known == set()


@pytest.fixture(params=FLAVOURS)
def call(request: pytest.FixtureRequest, triton: Address) -> Callable[[Call], str]:
    """Make a call with one of the clients and return its answer as text."""
    module = FLAVOURS[request.param]
    address = triton.grpc if request.param.startswith("grpc") else triton.rest

    def run(wanted: Call) -> str:
        if not request.param.endswith("aio"):
            with module.InferenceServerClient(address) as client:
                return str(getattr(client, wanted.name)(**wanted.arguments))
        return asyncio.run(_awaited(module, address, wanted))

    return run


async def _awaited(module: Any, address: str, wanted: Call) -> str:
    async with module.InferenceServerClient(address) as client:
        return str(await getattr(client, wanted.name)(**wanted.arguments))


@pytest.mark.parametrize(
    "wanted", [c for c in CALLS if not c.refusal], ids=lambda c: f"{c.name}-{len(c.arguments)}"
)
def test_calls_are_answered(call: Callable[[Call], str], wanted: Call) -> None:
    assert wanted.answer in call(wanted)


@pytest.mark.parametrize("wanted", [c for c in CALLS if c.refusal], ids=lambda c: c.refusal[:20])
def test_calls_are_refused_with_a_reason(call: Callable[[Call], str], wanted: Call) -> None:
    with pytest.raises(InferenceServerException) as refused:
        call(wanted)
    assert wanted.refusal in refused.value.message()
