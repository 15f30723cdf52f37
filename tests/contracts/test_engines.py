"""edgeIQ's engines and accelerators as wishes for runtimes."""

import pytest

from camfleet_contracts.engines import (
    ENGINES,
    PLATFORMS,
    UnsupportedEngine,
    wished_runtimes,
)
from camfleet_contracts.frameworks import FRAMEWORKS


@pytest.mark.parametrize(
    ("engine", "accelerator", "wishes"),
    [
        ("DNN", "", ("opencv:OPENCL",)),
        ("DNN", "CPU", ("opencv:CPU",)),
        ("DNN_CUDA", "", ("onnxruntime:CUDA", "opencv:CUDA")),
        ("DNN_CUDA", "NVIDIA_FP16", ("onnxruntime:TENSORRT_FP16", "opencv:CUDA_FP16")),
        ("DNN_OPENVINO", "", ("openvino:CPU",)),
        ("dnn_openvino", "gpu", ("openvino:GPU",)),
        ("TENSOR_RT", "", ("tensorrt", "onnxruntime:TENSORRT")),
        ("HAILO_RT", "HAILO", ("hailo",)),
        ("ONNX_RT", "", ("onnxruntime:CPU",)),
    ],
)
def test_every_engine_is_a_wish_for_runtimes(
    engine: str, accelerator: str, wishes: tuple[str, ...]
) -> None:
    assert wished_runtimes(engine, accelerator) == wishes


@pytest.mark.parametrize(
    ("engine", "accelerator", "reason"),
    [
        ("CAFFE2", "", "engine 'CAFFE2' is unknown; use one of: DNN, DNN_CUDA"),
        ("DNN_CUDA", "CPU", "DNN_CUDA takes the accelerators NVIDIA, NVIDIA_FP16, not 'CPU'"),
        ("DNN_OPENVINO", "MYRIAD", "OpenVINO has dropped them; use DNN_OPENVINO with CPU"),
    ],
)
def test_what_does_not_go_together_says_what_does(
    engine: str, accelerator: str, reason: str
) -> None:
    with pytest.raises(UnsupportedEngine, match=reason):
        wished_runtimes(engine, accelerator)


def test_the_default_accelerators_are_those_of_edgeiq() -> None:
    assert wished_runtimes("DNN") == wished_runtimes("DNN", "GPU")
    assert wished_runtimes("DNN_CUDA") == wished_runtimes("DNN_CUDA", "NVIDIA")


def test_every_wish_is_for_a_runtime_that_reads_something() -> None:
    known = {runtime for framework in FRAMEWORKS for runtime in framework.runtimes}
    wishes = [w for e in ENGINES.values() for wished in e.wishes.values() for w in wished]
    assert {wish.partition(":")[0] for wish in wishes} <= known
    assert set(ENGINES) - {"DNN_CUDA"} <= set(PLATFORMS.values())
