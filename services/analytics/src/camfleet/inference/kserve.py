"""KServe v2 over gRPC as a client of pictures speaks it: its calls, and answers as arrays.

Messages go out as bytes: what does not change between two requests is not made anew (ADR 36).
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from numpy.typing import NDArray

from camfleet_contracts.datatypes import InvalidTensor, get_datatype
from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.tensors import RawTensor, decode_contents
from camfleet_contracts.wire import Remembered

Reply = TypeVar("Reply", bound=Message)


@dataclass(frozen=True, slots=True)
class Call(Generic[Reply]):
    """One call of the service; its request is given as bytes."""

    name: str
    reply: type[Reply]

    @property
    def path(self) -> str:
        """Where a server has it."""
        return f"/inference.GRPCInferenceService/{self.name}"


SERVER_LIVE = Call("ServerLive", pb.ServerLiveResponse)
SERVER_METADATA = Call("ServerMetadata", pb.ServerMetadataResponse)
MODEL_METADATA = Call("ModelMetadata", pb.ModelMetadataResponse)
MODEL_CONFIG = Call("ModelConfig", pb.ModelConfigResponse)
MODEL_INFER = Call("ModelInfer", pb.ModelInferResponse)
REPOSITORY_INDEX = Call("RepositoryIndex", pb.RepositoryIndexResponse)
REPOSITORY_LOAD = Call("RepositoryModelLoad", pb.RepositoryModelLoadResponse)
MEMORY_REGISTER = Call("SystemSharedMemoryRegister", pb.SystemSharedMemoryRegisterResponse)
MEMORY_UNREGISTER = Call("SystemSharedMemoryUnregister", pb.SystemSharedMemoryUnregisterResponse)


def outputs_of(response: pb.ModelInferResponse) -> dict[str, NDArray[Any]]:
    """The tensors of an answer by name: views of its raw contents, or made of its typed ones.

    Raises:
        InvalidTensor: contents are missing or do not fit datatype and shape.
    """
    raws, outputs = response.raw_output_contents, response.outputs
    if not raws:
        return {output.name: decode_contents(output) for output in outputs}
    if len(raws) != len(outputs):
        raise InvalidTensor(f"{len(raws)} contents for {len(outputs)} outputs")
    return {
        output.name: _raw_tensor((output.name, output.datatype, *output.shape)).decode(raw)
        for output, raw in zip(outputs, raws, strict=True)
    }


def _make_raw_tensor(described: tuple[Any, ...]) -> RawTensor:
    name, datatype, *shape = described
    return RawTensor(name, get_datatype(datatype, name), shape)


_raw_tensor = Remembered(_make_raw_tensor)
