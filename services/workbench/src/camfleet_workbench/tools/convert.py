"""Conversion to OpenVINO IR, with repairs where a TFLite file needs them."""

import tempfile
from pathlib import Path
from typing import Any

from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet_workbench.tools.located import LocatedModel
from camfleet_workbench.tools.packages import write_package
from camfleet_workbench.tools.tflite_repairs import cut_detection, repair_axes

_OF_DETECTION = {"resize": "stretch", "layout": "NHWC", "colour": "RGB"}  # as that operator's
# models are trained; what the source's manifest says goes before it


def convert(source: LocatedModel, folder: Path) -> Path:
    """Convert a model and write it as a package; what was repaired is said.

    Raises:
        CommandError: it cannot be converted, or the folder is there already.
    """
    model, changes = _read(source.path)
    if source.manifest.preprocess is not None:
        changes.pop("preprocess", None)
    return write_package(source, folder, model, changes)


def _read(path: Path) -> tuple[Any, dict[str, Any]]:
    try:
        return _converted(path), {}
    except RuntimeError as error:
        repaired = _repaired(path) if path.suffix == ".tflite" else None
        if repaired is None:
            raise CommandError(f"{path.name} cannot be converted: {_reason(error)}") from error
    content, changes = repaired
    with tempfile.TemporaryDirectory(prefix="camfleet-repair-") as folder:
        mended = Path(folder) / path.name
        mended.write_bytes(content)
        try:
            return _converted(mended), changes
        except RuntimeError as error:
            reason = _reason(error)
            raise CommandError(f"{path.name} was repaired, and still: {reason}") from error


def _converted(path: Path) -> Any:
    import openvino as ov  # noqa: PLC0415 - takes long

    return ov.Core().read_model(path)


def _repaired(path: Path) -> tuple[bytes, dict[str, Any]] | None:
    content = path.read_bytes()
    try:
        cut = cut_detection(content)
        mended = repair_axes(cut.content if cut else content)
    except ValueError:
        return None
    if cut is None and mended is None:
        return None
    if mended is not None:
        note(f"{path.name}: set quantised axes right that lay outside their tensors")
    if cut is None:
        return mended or content, {}
    note(f"{path.name}: cut off its detection post-processing; cameras decode with ssd-anchors")
    return mended or cut.content, {"preprocess": _OF_DETECTION, "postprocess": cut.postprocess}


def _reason(error: Exception) -> str:
    """The last sentence that says something; OpenVINO's texts begin with places in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Check", "Exception from", "src/"))]
    return (telling or lines or ["unknown"])[0][:300]
