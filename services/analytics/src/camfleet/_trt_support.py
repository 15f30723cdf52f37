"""What alwaysAI's starter application asks edgeIQ's private module of this name."""

from camfleet.this_machine import find_nvidia_gpu, is_jetson


def is_trt_supported_system() -> bool:
    """Whether this machine has a GPU that TensorRT can use; not whether the server has TensorRT."""
    return is_jetson() or find_nvidia_gpu()
