"""Writing the package that a tool makes: IR, what its manifest says now, and what came along."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from camfleet.cli.errors import CommandError
from camfleet_contracts.volume import MANIFEST
from camfleet_workbench.tools.located import LocatedModel

MODEL_NAME = "model.xml"
_COMPANIONS = ("label_file", "colors_file")


def write_package(
    source: LocatedModel, folder: Path, model: Any, changes: Mapping[str, Any]
) -> Path:
    """Write an OpenVINO model as a package; a run that is cut leaves nothing under the name.

    Raises:
        CommandError: the folder is there already, or has no room.
    """
    if folder.exists():
        raise CommandError(f"{folder} is there already; name another with --out, or delete it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _save(model, staging)
        document = _document(source, changes)
        for field in _COMPANIONS:
            name = document.get(field)
            if name and (source.folder / name).is_file():
                shutil.copyfile(source.folder / name, staging / Path(name).name)
                document[field] = Path(name).name
        licence = source.folder / "LICENSE"
        if licence.is_file():
            shutil.copyfile(licence, staging / licence.name)
        (staging / MANIFEST).write_text(json.dumps(document, indent=2) + "\n")
        staging.chmod(0o755)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _save(model: Any, folder: Path) -> None:
    import openvino as ov  # noqa: PLC0415 - takes long

    try:
        ov.save_model(model, folder / MODEL_NAME, compress_to_fp16=False)
    except RuntimeError as error:  # OpenVINO tells neither which file nor why
        free_mb = shutil.disk_usage(folder).free / 1e6
        raise CommandError(
            f"{folder.parent}: the model could not be written, and {free_mb:.1f} MB are free; "
            "make room, or name another folder with --out"
        ) from error


def _document(source: LocatedModel, changes: Mapping[str, Any]) -> dict[str, Any]:
    dropped = {"files", "inputs", "outputs", "config_file", "runtimes", "catalog_entry", "trail"}
    document = source.manifest.model_dump(mode="json", exclude_unset=True, exclude=dropped)
    document.pop("catalog_entry", None)
    if source.manifest.label_file:
        document.pop("labels", None)
    made = {"framework_type": "openvino", "model_file": MODEL_NAME}
    trail = {"parent": source.reference} | changes.get("trail", {})
    return {"id": source.name, **document, **made, **changes, "trail": trail}
