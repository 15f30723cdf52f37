"""The few calls of CUDA's runtime that an engine needs, with their errors as exceptions."""

from typing import Any

from numpy.typing import NDArray

from camfleet_server.runtimes.base import VendorMissing

try:
    from cuda.bindings import runtime as cudart  # cuda-python from 12.6 on
except ImportError:
    from cuda import cudart


class CudaError(RuntimeError):
    """A call failed; the text is CUDA's."""


def require_gpu() -> None:
    """Make sure that there is one.

    Raises:
        VendorMissing: there is none, or its driver does not answer.
    """
    try:
        (count,) = _checked(cudart.cudaGetDeviceCount())
    except CudaError as error:
        raise VendorMissing(f"no NVIDIA GPU answers: {error}") from error
    if not count:
        raise VendorMissing("no NVIDIA GPU is here")


class Stream:
    """A queue of work on the GPU."""

    def __init__(self) -> None:
        (self._stream,) = _checked(cudart.cudaStreamCreate())

    @property
    def handle(self) -> int:
        """The number TensorRT wants."""
        return int(self._stream)

    def upload(self, array: NDArray[Any], buffer: "Buffer") -> None:
        """Copy to the GPU; the array must live until `synchronize`."""
        to_gpu = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        given = (buffer.address, array.ctypes.data, array.nbytes, to_gpu, self._stream)
        _checked(cudart.cudaMemcpyAsync(*given))

    def download(self, buffer: "Buffer", array: NDArray[Any]) -> None:
        """Copy from the GPU; the array is filled when `synchronize` returns."""
        from_gpu = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        given = (array.ctypes.data, buffer.address, array.nbytes, from_gpu, self._stream)
        _checked(cudart.cudaMemcpyAsync(*given))

    def synchronize(self) -> None:
        """Wait for everything that was queued."""
        _checked(cudart.cudaStreamSynchronize(self._stream))

    def close(self) -> None:
        """Give it back."""
        _checked(cudart.cudaStreamDestroy(self._stream))


class Buffer:
    """Memory on the GPU that grows when more is asked for."""

    def __init__(self) -> None:
        self.address = 0
        self._size = 0

    def reserve(self, size_bytes: int) -> None:
        """Make room; what was in it is lost where it must grow."""
        if size_bytes > self._size:
            self.close()
            (address,) = _checked(cudart.cudaMalloc(size_bytes))
            self.address, self._size = int(address), size_bytes

    def close(self) -> None:
        """Give the memory back."""
        if self.address:
            _checked(cudart.cudaFree(self.address))
        self.address = self._size = 0


def _checked(result: Any) -> tuple[Any, ...]:
    """Return what a call answers after its error code, which is 0 when all is well."""
    code, *values = result
    if int(code):
        _, text = cudart.cudaGetErrorString(code)
        said = text.decode() if isinstance(text, bytes) else str(text)
        raise CudaError(f"CUDA error {int(code)}: {said}")
    return tuple(values)
