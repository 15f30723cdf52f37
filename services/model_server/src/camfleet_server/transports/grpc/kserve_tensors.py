"""Inputs and outputs of gRPC requests that carry parameters of their own."""

from typing import Any

from numpy.typing import NDArray

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_contracts.tensors import InvalidTensor, datatype_of, encode_raw
from camfleet_server.transports.grpc.kserve_infer import plain_parameters
from camfleet_server.transports.kserve_tensors import TensorPlaces
from camfleet_server.transports.kserve_terms import REGION
from camfleet_server.types import InferResult


class GrpcTensorExtensions:
    """Shared memory and classification in the messages of ModelInfer."""

    def __init__(self, places: TensorPlaces) -> None:
        self._places = places

    def read_input(self, item: pb.ModelInferRequest.InferInputTensor) -> NDArray[Any]:
        """Return an input that lies in a shared-memory region; raises as `TensorPlaces.read`."""
        if item.contents.ListFields():
            raise InvalidTensor(
                "Passing an input both in a shared memory region and in contents is not allowed; "
                f"input name: {item.name}"
            )
        parameters = plain_parameters(item.parameters)
        return self._places.read(parameters, item.datatype, item.shape, item.name)

    def write_output(
        self,
        wanted: pb.ModelInferRequest.InferRequestedOutputTensor,
        result: InferResult,
        output: pb.ModelInferResponse.InferOutputTensor,
    ) -> bytes:
        """Put an output where it is wanted; raises as `TensorPlaces`."""
        parameters = plain_parameters(wanted.parameters)
        array = self._places.classified(parameters, result, wanted.name)
        output.datatype = datatype_of(array, wanted.name)
        output.shape[:] = array.shape
        if REGION not in parameters:
            return encode_raw(array)
        for key, value in self._places.put(parameters, array, wanted.name).items():
            field = "string_param" if isinstance(value, str) else "int64_param"
            setattr(output.parameters[key], field, value)
        return b""
