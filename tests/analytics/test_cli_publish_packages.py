"""Packages that `camfleet model publish` takes, and those it refuses."""

import json
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from camfleet.cli.errors import CommandError
from camfleet.cli.packages.package import read_package
from cli_runs import CommandLine, contents


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_archives_are_published_with_or_without_a_folder_in_them(
    camfleet: CommandLine, adder_folder: Path, tmp_path: Path, kind: str
) -> None:
    archive = tmp_path / f"packed.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for path in adder_folder.iterdir():
                packed.write(path, path.name)
    else:
        with tarfile.open(archive, "w:gz") as packed_tar:
            packed_tar.add(adder_folder, "adder")
    assert camfleet.run("model", "publish", str(archive), "--id", "adder").code == 0
    assert contents(camfleet.models / "adder") >= {"1", "1/model.xml", "1/model.bin"}


@pytest.mark.parametrize(
    ("files", "manifest", "reason"),
    [
        ({}, None, "no model file"),
        ({"net.h5": b""}, None, "export it in Keras as SavedModel"),
        ({"net.pt": b""}, None, "torch.onnx.export"),
        ({"net.blob": b""}, None, "publish the model it was compiled from"),
        ({"net.bin": b""}, None, "may be the weights of an OpenVINO model or a TensorRT engine"),
        ({"net.onnx": b""}, {"model_file": "other.onnx"}, "model_file 'other.onnx'"),
        ({"net.onnx": b""}, {"label_file": "labels.txt"}, "label_file .*labels.txt"),
        ({"net.onnx": b""}, {"config_file": "../net.cfg"}, "config_file '../net.cfg'"),
        ({"net.onnx": b""}, {"files": {"net.onnx": "0" * 64}}, "differs from its sha256"),
        ({"net.onnx": b""}, {"id": "a/b/c"}, "give one with --id"),
        ({"net.onnx": b""}, {"precision": "f7"}, "precision"),
    ],
)
def test_packages_with_faults_are_refused_by_name(
    camfleet: CommandLine,
    tmp_path: Path,
    files: dict[str, bytes],
    manifest: dict[str, object] | None,
    reason: str,
) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    if manifest is not None:
        (folder / "model.json").write_text(json.dumps(manifest))
    outcome = camfleet.run("model", "publish", str(folder))
    assert outcome.code == 1
    assert re.search(reason, outcome.err), outcome.err
    assert not camfleet.models.exists() or not contents(camfleet.models)


def test_links_out_of_the_package_are_refused(tmp_path: Path, adder_folder: Path) -> None:
    (adder_folder / "secret").symlink_to("/etc/passwd")
    with pytest.raises(CommandError, match="points outside the package"):
        read_package(adder_folder, None)


def test_alwaysai_manifest_is_kept_with_all_its_fields(
    camfleet: CommandLine, adder_folder: Path
) -> None:
    nested = {"id": "me/adder", "model_parameters": {"purpose": "Classification", "crop": True}}
    (adder_folder / "alwaysai.model.json").write_text(json.dumps(nested | {"uuid": "1-2-3"}))
    camfleet.run("model", "publish", str(adder_folder), "--no-serve")
    document = json.loads((camfleet.models / "me.adder" / "1" / "model.json").read_text())
    assert (document["purpose"], document["crop"], document["uuid"]) == (
        "Classification",
        True,
        "1-2-3",
    )
