"""`camfleet model benchmark` with the real program of the model server."""

import json
import shutil
from pathlib import Path

import pytest

from camfleet.cli.packages import benchmark
from cli_runs import CommandLine
from model_volume import save_adder

pytestmark = pytest.mark.long


def test_every_runtime_that_reads_a_format_has_a_row(
    camfleet: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    folder = camfleet.models / "yunet" / "3"
    folder.mkdir(parents=True)
    source = shared_data / "models" / "yunet-n" / "yunet_n_320_320.onnx"
    shutil.copyfile(source, folder / "net.onnx")
    plot = tmp_path / "plots" / "yunet.png"
    outcome = camfleet.run(
        *("model", "benchmark", "yunet", "--seconds", "0.05", "--plot", str(plot))
    )
    assert outcome.code == 0, outcome.err
    rows = [line.split() for line in outcome.out.splitlines()[1:]]
    assert [row[:2] for row in rows] == [
        ["openvino", "f32"],
        ["openvino", "bf16"],
        ["openvino", "f16"],
        ["onnxruntime", "f32"],
        ["opencv", "f32"],
    ]
    assert outcome.out.count("fastest") == 1
    assert plot.read_bytes().startswith(b"\x89PNG")
    card = camfleet.run("model", "show", "yunet")
    assert "openvino f32: " in card.out
    assert "/s together" in card.out
    measured = json.loads(camfleet.run("model", "show", "yunet", "--json").out)["measured"]
    assert [row["runtime"] for row in measured["rows"]][-1] == "opencv"


def test_row_that_cannot_run_says_why(camfleet: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    save_adder(tmp_path / "adder", 1)
    quick = ("--seconds", "0.05")
    outcome = camfleet.run("model", "benchmark", str(tmp_path / "adder"), *quick, "--json")
    rows = json.loads(outcome.out)
    assert [row["runtime"] for row in rows] == ["openvino"] * 3
    assert rows[0]["together"]["per_second"] > 0
    outcome = camfleet.run("model", "benchmark", str(tmp_path / "broken.onnx"), *quick)
    assert outcome.code == 1
    assert "nothing here can run it" in outcome.err


@pytest.mark.parametrize("reference", ["nope", "nope:3", "a/b/c"])
def test_unknown_models_are_named(camfleet: CommandLine, reference: str) -> None:
    outcome = camfleet.run("model", "benchmark", reference)
    assert (outcome.code, reference in outcome.err) == (1, True)


def test_without_the_server_program_the_way_out_is_said(
    camfleet: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_adder(tmp_path / "adder", 1)
    monkeypatch.setattr(benchmark, "PROGRAM", "camfleet-nowhere")
    outcome = camfleet.run("model", "benchmark", str(tmp_path / "adder"))
    assert (outcome.code, "is not installed here" in outcome.err) == (1, True)
