"""Triton's shared memory extensions over gRPC."""

from camfleet_contracts.protocols import inference_pb2 as pb
from camfleet_server.errors import RegionNotFound
from camfleet_server.serving.shared_memory import Region, SharedMemory
from camfleet_server.transports.grpc.calls import Answers
from camfleet_server.transports.grpc.rpc import Rpc


class MemoryCalls:
    """SystemSharedMemory*, and of CudaSharedMemory* what needs no such memory."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory

    def answers(self) -> Answers:
        """Return what answers each RPC."""
        return {
            "SystemSharedMemoryStatus": self.status,
            "SystemSharedMemoryRegister": self.register,
            "SystemSharedMemoryUnregister": self.unregister,
            "CudaSharedMemoryStatus": self.cuda_status,
            "CudaSharedMemoryUnregister": self.cuda_unregister,
        }

    def status(
        self, request: pb.SystemSharedMemoryStatusRequest, _: Rpc
    ) -> pb.SystemSharedMemoryStatusResponse:
        """Tell the region of that name, or all."""
        response = pb.SystemSharedMemoryStatusResponse()
        for region in self._memory.regions(request.name):
            told = response.regions[region.name]
            told.name, told.key = region.name, region.key
            told.offset, told.byte_size = region.offset, region.byte_size
        return response

    def register(
        self, request: pb.SystemSharedMemoryRegisterRequest, _: Rpc
    ) -> pb.SystemSharedMemoryRegisterResponse:
        """Make part of a segment known under a name."""
        region = Region(request.name, request.key, request.offset, request.byte_size)
        self._memory.register(region)
        return pb.SystemSharedMemoryRegisterResponse()

    def unregister(
        self, request: pb.SystemSharedMemoryUnregisterRequest, _: Rpc
    ) -> pb.SystemSharedMemoryUnregisterResponse:
        """Forget the region of that name, or all."""
        self._memory.unregister(request.name)
        return pb.SystemSharedMemoryUnregisterResponse()

    def cuda_status(
        self, request: pb.CudaSharedMemoryStatusRequest, _: Rpc
    ) -> pb.CudaSharedMemoryStatusResponse:
        """Tell that there are no regions."""
        if request.name:
            raise RegionNotFound(request.name)
        return pb.CudaSharedMemoryStatusResponse()

    def cuda_unregister(
        self, _: pb.CudaSharedMemoryUnregisterRequest, __: Rpc
    ) -> pb.CudaSharedMemoryUnregisterResponse:
        """Forget what is not there."""
        return pb.CudaSharedMemoryUnregisterResponse()
