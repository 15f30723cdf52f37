"""TensorRT engines on the NVIDIA GPU they were built for."""
