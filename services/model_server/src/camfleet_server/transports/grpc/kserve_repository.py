"""Models over gRPC: Triton's repository and statistics extensions."""

from typing import Any

from google.protobuf.json_format import ParseDict

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.errors import InvalidInput
from camfleet_server.transports.grpc.calls import Answers
from camfleet_server.transports.grpc.kserve_infer import plain_parameters
from camfleet_server.transports.grpc.rpc import Rpc
from camfleet_server.transports.kserve_repository import (
    CONFIG,
    UNLOAD_DEPENDENTS,
    index_entries,
    overrides_in,
    refuse_unknown,
)
from camfleet_server.transports.kserve_statistics import model_stats
from camfleet_server.transports.kserve_terms import parse_version
from camfleet_server.transports.served import Served


class RepositoryCalls:
    """RepositoryIndex, RepositoryModelLoad, RepositoryModelUnload and ModelStatistics."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def answers(self) -> Answers:
        """Return what answers each RPC."""
        return {
            "RepositoryIndex": self.index,
            "RepositoryModelLoad": self.load,
            "RepositoryModelUnload": self.unload,
            "ModelStatistics": self.statistics,
        }

    def index(self, request: pb.RepositoryIndexRequest, _: Rpc) -> pb.RepositoryIndexResponse:
        """List every version of every model with its state and reason."""
        _refuse_repository(request.repository_name)
        entries = index_entries(self._served, only_ready=request.ready)
        return ParseDict({"models": entries}, pb.RepositoryIndexResponse())

    def load(
        self, request: pb.RepositoryModelLoadRequest, _: Rpc
    ) -> pb.RepositoryModelLoadResponse:
        """Load a model and wait for it."""
        _refuse_repository(request.repository_name)
        parameters = plain_parameters(request.parameters)
        config = overrides_in(self._served, request.model_name, parameters)
        files = {name: value for name, value in parameters.items() if name != CONFIG}
        _check_files(files)
        self._served.load_model(request.model_name, config, files)
        return pb.RepositoryModelLoadResponse()

    def unload(
        self, request: pb.RepositoryModelUnloadRequest, _: Rpc
    ) -> pb.RepositoryModelUnloadResponse:
        """Unload a model; none has dependents."""
        _refuse_repository(request.repository_name)
        refuse_unknown(plain_parameters(request.parameters), UNLOAD_DEPENDENTS)
        self._served.unload_model(request.model_name)
        return pb.RepositoryModelUnloadResponse()

    def statistics(self, request: pb.ModelStatisticsRequest, _: Rpc) -> pb.ModelStatisticsResponse:
        """Tell what every version, or the ones that were asked for, did so far."""
        readings = self._served.statistics(request.name, parse_version(request.version))
        return ParseDict(model_stats(readings), pb.ModelStatisticsResponse())


def _refuse_repository(name: str) -> None:
    if name:
        raise InvalidInput(
            f"repository_name - Expected: nothing, there is one repository; Actual: {name!r}"
        )


def _check_files(files: dict[str, Any]) -> None:
    for name, content in files.items():
        if not isinstance(content, bytes):
            raise InvalidInput(f"parameter '{name[:80]}' - Expected: the bytes of a file")
