"""`camfleet model pull URL` that was killed: what it left goes with the next pull."""

import socket
from pathlib import Path

import pytest

from camfleet.cli.packages.scratch import scratch_in
from cli_runs import CommandLine
from fakes_upstream import serving
from processes import Service
from waiting import wait_until


def test_the_next_pull_sweeps_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    camfleet = CommandLine(tmp_path, monkeypatch, capsys)
    downloads = tmp_path / "cache" / "downloads"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/pets.onnx"
        killed = Service(["camfleet", "model", "pull", address], {})
        wait_until(lambda: [*downloads.glob("package-*/files")], 60, "the folder of the pull")
        killed.process.kill()
        killed.stop()
    [left] = downloads.glob("package-*")
    with serving() as upstream:
        upstream.files = {"/pets.onnx": b"weights"}
        assert camfleet.run("model", "pull", f"{upstream.url}/pets.onnx").code == 0
    assert not left.exists()
    assert not [*downloads.glob("package-*")]


def test_the_folder_of_a_pull_that_runs_is_left_alone(tmp_path: Path) -> None:
    with scratch_in(tmp_path) as held:
        (held / "pets.onnx").touch()
        with scratch_in(tmp_path) as other:
            assert other != held
            assert (held / "pets.onnx").is_file()
        assert not other.exists()
    assert not [*tmp_path.glob("package-*")]
