"""What `load()` asks a server to run a model with, and how a service tells what it became."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from camfleet import (
    Engine,
    EngineFallback,
    ObjectDetection,
    UnsupportedEngine,
    close_connections,
)
from fakes_kserve import FakeServer, one_box, serving


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(FakeServer({1: one_box("car", 0.25)})) as running:
        yield running
        close_connections()


def serve_on(server: FakeServer, platform: str, device: str, **fields: str) -> None:
    """Have version 1 say what runs it."""
    served_by = {"platform": platform, "device": device}
    manifest = {**(server.versions[1].manifest or {}), **fields, "served_by": served_by}
    server.versions[1] = replace(server.versions[1], manifest=manifest)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (("CUDNN", None), "engine 'CUDNN' is unknown; use one of: DNN, "),
        (("DNN", "NVIDIA"), "DNN takes the accelerators GPU, CPU, not 'NVIDIA'"),
        (("DNN_OPENVINO", "MYRIAD"), "use DNN_OPENVINO with CPU, GPU or NPU"),
    ],
)
def test_an_engine_that_is_none_is_refused(wanted: tuple[str, str | None], text: str) -> None:
    with pytest.raises(UnsupportedEngine, match=text):
        ObjectDetection("m").load(*wanted)


def test_load_says_what_it_got_and_warns_when_it_differs(server: FakeServer) -> None:
    serve_on(server, "OpenCV", "CPU")
    detector = ObjectDetection("m", server=server.address)

    with pytest.warns(EngineFallback, match="asked for DNN on GPU, runs with DNN on CPU"):
        detector.load(engine=Engine.DNN, accelerator="GPU")

    assert (detector.engine, detector.accelerator) == (Engine.DNN, "CPU")


def test_the_accelerator_nobody_named_is_told_where_it_is_not_there(server: FakeServer) -> None:
    serve_on(server, "OpenCV", "CPU")
    detector = ObjectDetection("m", server=server.address)

    text = "asked for DNN on GPU, its default accelerator, runs with DNN on CPU"
    with pytest.warns(EngineFallback, match=text):
        detector.load(engine=Engine.DNN)
    assert repr(detector) == "ObjectDetection('m', DNN on CPU)"


def test_cuda_for_caffe_says_why_not(server: FakeServer) -> None:
    serve_on(server, "OpenCV", "CPU", framework_type="caffe")
    detector = ObjectDetection("m", server=server.address)

    with pytest.warns(EngineFallback, match="Caffe, Darknet and Torch are OpenCV's, whose wheel"):
        detector.load(engine=Engine.DNN_CUDA)

    config = detector.model_config
    supports = ("dnn", "dnn_cuda", "dnn_openvino", "tensor_rt", "hailo", "onnx_rt")
    found = [name for name in supports if getattr(config, f"{name}_support")]
    assert found == ["dnn", "dnn_cuda"]


def test_a_server_that_does_not_tell_is_told(server: FakeServer) -> None:
    detector = ObjectDetection("m", server=server.address)

    with pytest.warns(EngineFallback, match="its server does not tell what runs it"):
        detector.load(engine=Engine.ONNX_RT)

    assert detector.engine is None


def test_a_service_says_what_it_asks(server: FakeServer) -> None:
    detector = ObjectDetection("m", server=server.address)
    before = repr(detector)
    detector.load()

    assert (before, repr(detector)) == ("ObjectDetection('m', not loaded)", "ObjectDetection('m')")
