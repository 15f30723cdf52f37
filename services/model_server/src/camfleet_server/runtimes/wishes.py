"""What every runtime does with the wishes of a version: its files, its settings, its device."""

import logging
from pathlib import Path

from camfleet_contracts.frameworks import FRAMEWORKS
from camfleet_contracts.model_files import ModelFiles, NoModelFiles, find_model_files
from camfleet_server.runtimes.base import LoadError, ModelSource

logger = logging.getLogger(__name__)

_CHANGING = ("shape", "layout", "mean", "scale", "color_format", "precision")
_ANY_BATCH = (None, 0, "0", "auto", "-1", -1)


def find_files(source: ModelSource, runtime: str) -> ModelFiles:
    """Return the model files of a version that a runtime reads, as FRAMEWORKS has it.

    Raises:
        LoadError: there are none, or they are of a format this runtime does not read.
    """
    reads = [framework.name for framework in FRAMEWORKS if runtime in framework.runtimes]
    try:
        files = _find(source, reads)
    except NoModelFiles as error:
        raise LoadError(f"{runtime}: {error}") from error
    if files.framework.name not in reads:
        others = " or ".join(files.framework.runtimes)
        raise LoadError(
            f"{runtime} reads {', '.join(reads)}; {files.name} is {files.framework.name}: "
            f"put {others} into `runtimes` of model.json, or leave it out"
        )
    return files


def _find(source: ModelSource, reads: list[str]) -> ModelFiles:
    """The files of a format that is read, else of another one, so that the reason can name it."""
    try:
        return find_model_files(source.folder, source.manifest, reads)
    except NoModelFiles as error:
        try:
            return find_model_files(source.folder, source.manifest)
        except NoModelFiles:
            raise error from None


def refuse_changes(source: ModelSource, runtime: str) -> None:
    """Refuse what config.json asks for and only OpenVINO puts into a model; log what it ignores.

    Raises:
        LoadError: names the setting and the way out.
    """
    config = source.config
    asked = [key for key in _CHANGING if getattr(config, key) not in (None, "", {}, "auto")]
    asked += [] if config.batch_size in _ANY_BATCH else ["batch_size"]
    if asked:
        raise LoadError(
            f"{runtime} cannot apply {', '.join(asked)} of config.json; take it out there "
            "(`preprocess` in model.json is for pictures), or put openvino into `runtimes`"
        )
    if config.plugin_config:
        logger.warning(
            "settings are for OpenVINO only model=%s version=%s runtime=%s plugin_config=%s",
            *(source.name, source.version, runtime, ",".join(config.plugin_config)),
        )


def read_bytes(path: Path) -> bytes:
    """Read a file into memory: nothing maps files of the volume.

    Raises:
        LoadError: it cannot be read, or it is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{path.name} cannot be read: {error.strerror}") from error
    if not content:
        raise LoadError(f"{path.name} is empty")
    return content


def log_cpu_fall_back(source: ModelSource, device: str, reason: object) -> None:
    """Say that a version runs on the CPU though another device was wanted."""
    logger.warning(
        "falls back to CPU model=%s version=%s device=%s reason=%s",
        *(source.name, source.version, device, reason),
    )
