"""Which files of a version folder are the model: as its manifest says, else by their names."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from camfleet_contracts.frameworks import (
    FRAMEWORKS,
    SAVED_MODEL,
    UNSERVED,
    Framework,
    UnknownFramework,
    find_framework,
    get_framework,
)
from camfleet_contracts.model_manifest import ModelManifest

_ANY = tuple(framework.name for framework in FRAMEWORKS)
_AMBIGUOUS = ".bin"
_PADDLE_WEIGHTS = ".pdiparams"  # base_path may name them


class NoModelFiles(Exception):
    """A version folder holds no model that was asked for; says what is there, what is missing."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one model; of a SavedModel `model` is its folder."""

    framework: Framework
    model: Path
    config: Path | None = None

    @property
    def name(self) -> str:
        """What users call it."""
        return SAVED_MODEL if self.model.is_dir() else self.model.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file, of a SavedModel those in its folder."""
        if self.model.is_dir():
            return tuple(sorted(path for path in self.model.rglob("*") if path.is_file()))
        return (self.model, self.config) if self.config else (self.model,)


def find_model_files(
    version: Path, manifest: ModelManifest, reads: Collection[str] = _ANY
) -> ModelFiles:
    """Return the model of a version: a folder, or the model file itself.

    `model_file`, `config_file` and `framework_type` of the manifest are followed where they are
    given; else the first kind of FRAMEWORKS that is in `reads`, and of one kind the first by name.

    Raises:
        NoModelFiles: nothing fits, or something beside it is missing.
    """
    try:
        wanted = _wanted(manifest.framework_type)
    except UnknownFramework as error:
        raise NoModelFiles(str(error)) from error
    if version.is_file():
        if version.suffix == _PADDLE_WEIGHTS:
            version = version.with_suffix(".pdmodel")
        return _with_config(_framework_of(version, wanted), version, manifest)
    if manifest.model_file:
        return _named(version, manifest, wanted)
    for framework in wanted or FRAMEWORKS:
        if framework.name in reads:
            for path in _candidates(version, framework):
                return _with_config(framework, path, manifest)
    raise NoModelFiles(_nothing_text(version, wanted or FRAMEWORKS, reads))


def _wanted(name: str) -> tuple[Framework, ...]:
    """The formats a `framework_type` may mean; none where it says nothing."""
    if not name:
        return ()
    framework = get_framework(name)
    is_tensorflow = framework.name == "tensorflow"  # alwaysAI has one name for both
    return (get_framework("saved-model"), framework) if is_tensorflow else (framework,)


def _candidates(folder: Path, framework: Framework) -> Iterator[Path]:
    if framework.name == "saved-model":
        yield from (path for path in (folder, folder / "saved_model") if _is_saved_model(path))
        return
    for path in sorted(folder.iterdir()):
        is_model = path.suffix.lower() in framework.model_suffixes and path.name != SAVED_MODEL
        is_hidden = path.name.startswith(".")  # as ._net.onnx, what a Mac notes beside net.onnx
        if is_model and not is_hidden and path.is_file():
            yield path


def _is_saved_model(folder: Path) -> bool:
    return (folder / SAVED_MODEL).is_file()


def _named(folder: Path, manifest: ModelManifest, wanted: tuple[Framework, ...]) -> ModelFiles:
    path = _inside(folder, manifest.model_file, "model_file")
    if path.name == SAVED_MODEL:
        path = path.parent
    if _is_saved_model(path):
        return ModelFiles(get_framework("saved-model"), path)
    if not path.is_file():
        raise NoModelFiles(f"model_file {manifest.model_file!r} is not in {_told(folder)}")
    return _with_config(_framework_of(path, wanted), path, manifest)


def _framework_of(path: Path, wanted: tuple[Framework, ...]) -> Framework:
    found = find_framework(path)
    suffix = path.suffix.lower()
    if found is None and suffix in UNSERVED:
        raise NoModelFiles(f"{path.name} is {UNSERVED[suffix]}")
    if found is None and wanted:  # a suffix that says nothing, as alwaysAI's engine.bin
        return wanted[-1]
    if found is None:
        raise NoModelFiles(_ambiguous_text(path))
    if wanted and found not in wanted:
        suffixes = " or ".join(wanted[-1].model_suffixes)
        raise NoModelFiles(
            f"framework_type says {wanted[-1].name}, whose model is a {suffixes} file, and "
            f"{path.name} is {found.name}; correct model.json"
        )
    return found


def _ambiguous_text(path: Path) -> str:
    if path.suffix.lower() == _AMBIGUOUS:
        return (
            f"{path.name} may be the weights of an OpenVINO model or a TensorRT engine; name "
            "framework_type in model.json: dldt with its .xml as config_file, or tensor-rt"
        )
    suffixes = ", ".join(suffix for f in FRAMEWORKS for suffix in f.model_suffixes)
    return (
        f"{path.name} is not a model file by its name; known are {suffixes} and {SAVED_MODEL}, or "
        "name framework_type in model.json"
    )


def _with_config(framework: Framework, path: Path, manifest: ModelManifest) -> ModelFiles:
    if framework.name == "saved-model":
        return ModelFiles(framework, path.parent if path.is_file() else path)
    if framework.name == "openvino":
        return _openvino_files(framework, path, manifest)
    config = _find_config(framework, path, manifest)
    if config is None and framework.needs_config:
        suffixes = " or ".join(framework.config_suffixes)
        raise NoModelFiles(
            f"{framework.name} needs a {suffixes} file beside {path.name}; put it into the folder, "
            "or name it as config_file in model.json"
        )
    return ModelFiles(framework, path, config)


def _openvino_files(framework: Framework, path: Path, manifest: ModelManifest) -> ModelFiles:
    """The .xml is the model; alwaysAI names the .bin as the model and the .xml as its config."""
    if path.suffix.lower() != _AMBIGUOUS:
        weights = path.with_suffix(_AMBIGUOUS)
        return ModelFiles(framework, path, weights if weights.is_file() else None)
    named = manifest.config_file
    text = _inside(path.parent, named, "config_file") if named else path.with_suffix(".xml")
    if not text.is_file():
        raise NoModelFiles(f"{path.name} needs its .xml file: {text.name} is not beside it")
    if text.stem != path.stem:
        raise NoModelFiles(f"{text.name} and {path.name} must have the same name before the suffix")
    return ModelFiles(framework, text, path)


def _find_config(framework: Framework, path: Path, manifest: ModelManifest) -> Path | None:
    if manifest.config_file and framework.config_suffixes:
        named = _inside(path.parent, manifest.config_file, "config_file")
        if not named.is_file():
            raise NoModelFiles(f"config_file {manifest.config_file!r} is not in {path.parent}")
        return named
    beside = [path.with_suffix(suffix) for suffix in framework.config_suffixes]
    for config in beside:
        if config.is_file():
            return config
    others = sorted(
        p for suffix in framework.config_suffixes for p in path.parent.glob(f"*{suffix}")
    )
    if len(others) > 1:
        names = ", ".join(other.name for other in others)
        raise NoModelFiles(f"which of {names} belongs to {path.name}? name it as config_file")
    return others[0] if others else None


def _inside(folder: Path, name: str, field: str) -> Path:
    path = folder / name
    if ".." in Path(name).parts or not path.is_relative_to(folder):
        raise NoModelFiles(f"{field} {name!r} leaves the folder {folder}")
    return path


def _nothing_text(folder: Path, wanted: Collection[Framework], reads: Collection[str]) -> str:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in UNSERVED:
            return f"{path.name} is {UNSERVED[path.suffix.lower()]}"
    lone = sorted(folder.glob(f"*{_AMBIGUOUS}"))
    if lone and not any(folder.glob("*.xml")):
        return _ambiguous_text(lone[0])
    names = [f.name for f in wanted if f.name in reads]
    kinds = [suffix for f in wanted if f.name in reads for suffix in f.model_suffixes]
    kinds += [SAVED_MODEL] if "saved-model" in names else []
    return f"no model file in {_told(folder)}; looked for {', '.join(kinds) or 'none'}"


def _told(folder: Path) -> str:
    held = ", ".join(sorted(map(_shown, folder.iterdir()))) or "nothing"
    return f"{folder} (it holds {held})"


def _shown(path: Path) -> str:
    is_lost = path.is_symlink() and not path.exists()
    return f"{path.name}, a link that leads nowhere" if is_lost else path.name
