"""Which file of a version folder is the model."""

from pathlib import Path

from camfleet_server.runtimes.base import LoadError

_PATTERNS = (
    *("*.xml", "*.onnx", "saved_model.pb", "saved_model/saved_model.pb", "*.pb", "*.tflite"),
    "*.pdmodel",
)


def find_model_file(folder: Path, named: str = "") -> Path:
    """Return the file OpenVINO shall read (of a SavedModel its folder).

    `named` is the manifest's choice; else IR goes before ONNX, SavedModel, frozen graph, TFLite and
    Paddle,
    and of several files of one kind the first by name is taken.

    Raises:
        LoadError: nothing here that OpenVINO reads; says what is here.
    """
    if folder.is_file():  # base_path may name the file; of a Paddle model also its weights
        return folder.with_suffix(".pdmodel") if folder.suffix == ".pdiparams" else folder
    patterns = (named, *_PATTERNS) if _is_readable_kind(named) else _PATTERNS
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if found:
            return found[0].parent if found[0].name == "saved_model.pb" else found[0]
    held = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
    raise LoadError(
        f"no model file in {folder} (it holds {held}); "
        "OpenVINO reads .xml with .bin, .onnx, .tflite, .pb, .pdmodel with .pdiparams and "
        "saved_model.pb"
    )


def _is_readable_kind(name: str) -> bool:
    kinds = {".xml", ".onnx", ".pb", ".tflite", ".pdmodel"}
    return Path(name).suffix in kinds and ".." not in Path(name).parts
