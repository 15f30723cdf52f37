"""`camfleet-server probe` and `camfleet-server benchmark`."""

import json
import re
import threading
from pathlib import Path

import pytest

from camfleet_server.command.benchmark import measure, run_benchmark
from camfleet_server.command.probe import describe_cpu, run_probe
from camfleet_server.cpu_share import CpuShare
from loaded_models import save_scaler
from model_volume import Volume, save_adder

CPU_INFO = """\
model name\t: Some CPU @ 2 GHz
flags\t\t: fpu sse4_2 avx2 fma avx512_vnni amx_int8 rdtscp
"""


def test_probe_tells_devices_versions_and_cores(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_probe([]) == 0
    told = json.loads(capsys.readouterr().out)
    runtimes = told["runtimes"]
    assert runtimes["openvino"]["devices"]["CPU"]["capabilities"]
    assert runtimes["onnxruntime"]["devices"]["CPU"] == {}
    assert "no CUDA" in runtimes["opencv"]["devices"]["CUDA"]["reason"]
    assert runtimes["opencv"]["formats"][-3:] == ["caffe", "darknet", "torch"]
    assert "not installed" in runtimes["hailo"]["reason"]
    assert told["cpu"]["usable_cores"] >= 1
    assert told["server"]


def test_quota_and_instruction_sets_that_matter_are_told() -> None:
    told = describe_cpu(CPU_INFO, CpuShare(cores=4, quota=1.5))
    assert (told["usable_cores"], told["cgroup_quota_cores"], told["threads"]) == (4, 1.5, 2)
    assert told["model"] == "Some CPU @ 2 GHz"
    assert told["instruction_sets"] == ["sse4_2", "avx2", "fma", "avx512_vnni", "amx_int8"]


def test_benchmark_measures_a_version_of_config_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = Volume(tmp_path)
    volume.serve("adder")
    save_adder(tmp_path / "adder" / "1", 1)
    save_adder(tmp_path / "adder" / "2", 2)
    config = ["--config_path", str(volume.config_path)]
    assert run_benchmark(["--model_name", "adder", *config, "--seconds", "0.05"]) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert (told["model"], told["version"], told["device"]) == ("adder", 2, "CPU")
    for part in ("one_at_a_time", "together"):
        assert 0 < told[part]["p50_ms"] <= told[part]["p99_ms"]
        assert told[part]["per_second"] > 0
    assert "one request after the other" in printed.err


def test_benchmark_measures_on_the_runtime_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_scaler(tmp_path / "m.onnx")
    for wish, platform in (("onnxruntime", "onnxruntime"), ("opencv:CPU", "OpenCV")):
        options = ["--model_path", str(path), "--runtime", wish, "--seconds", "0.05"]
        assert run_benchmark(options) == 0
        assert json.loads(capsys.readouterr().out)["platform"] == platform
    assert run_benchmark(["--model_path", str(path), "--precision", "f8"]) == 1
    assert "--precision: precision: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--model_name", "nope", "--config_path", "{}"], "nope: there is no such model"),
        (["--model_path", "{}/none"], "none does not exist"),
        (["--model_path", "{}/adder", "--version", "7"], r"has no version 7; it has \[1\]"),
        (["--model_path", "{}/adder", "--shape", "(1,-1)"], "give it a --shape"),
    ],
    ids=["model", "path", "version", "open dimensions"],
)
def test_benchmark_says_what_it_cannot_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    Volume(tmp_path).write_config()
    save_adder(tmp_path / "adder" / "1", 1)
    assert run_benchmark([part.format(tmp_path) for part in arguments]) == 1
    assert re.search(reason, capsys.readouterr().err)


def test_measuring_calls_from_all_threads() -> None:
    together = threading.Barrier(3, timeout=60)

    def infer() -> None:
        together.wait()

    measured = measure(infer, threads=3, seconds=0)
    assert len(measured.times_s) == 3
