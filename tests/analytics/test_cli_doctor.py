"""What `camfleet doctor` makes of the answer of `camfleet-server probe`."""

from camfleet.cli.checks.finding import Finding
from camfleet.cli.checks.runtimes import format_findings, runtime_findings

RUNTIMES = {
    "openvino": {
        "available": True,
        "version": "1",
        "formats": ["onnx"],
        "devices": {"CPU": {"name": "Some CPU"}, "GPU": {"name": "Some GPU"}},
    },
    "opencv": {
        "available": True,
        "version": "4",
        "formats": ["onnx", "caffe"],
        "devices": {"CPU": {}, "CUDA": {"reason": "the wheel has no CUDA"}},
    },
    "tensorrt": {"available": False, "reason": "no NVIDIA GPU is here", "formats": ["tensorrt"]},
}


def test_each_runtime_is_told_with_its_devices_or_its_reason() -> None:
    assert list(runtime_findings(RUNTIMES)) == [
        Finding("runtime openvino", "ok", "1 on CPU Some CPU, GPU Some GPU"),
        Finding("runtime opencv", "ok", "4 on CPU; no CUDA: the wheel has no CUDA"),
        Finding("runtime tensorrt", "note", "no NVIDIA GPU is here"),
    ]


def test_each_format_is_told_with_what_reads_it_here() -> None:
    assert list(format_findings(RUNTIMES)) == [
        Finding("format onnx", "ok", "openvino (CPU, GPU), opencv (CPU)"),
        Finding("format caffe", "ok", "opencv (CPU)"),
        Finding("format tensorrt", "note", "nothing here reads it; tensorrt would, see above"),
    ]
