"""model.json: what a model version says of itself.

The fields of alwaysAI's model JSON (flat or nested; `alwaysai.model.json` is read as it is, unknown
keys are kept) and camfleet's own: files, inputs, outputs, preprocess, postprocess, runtimes,
precision, batching, pulled_from and trail.
"""

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from camfleet_contracts.faults import fault_text
from camfleet_contracts.files import read_text
from camfleet_contracts.json_text import read_json
from camfleet_contracts.names import sendable
from camfleet_contracts.trail import Trail

MANIFEST_NAMES = ("model.json", "alwaysai.model.json")
_CHANNELS, _BRIGHTEST = 3, 255
_LARGEST_SIDE = 16384
_NESTED = ("model_parameters", "modelParameters", "config", "model")


class BadManifest(Exception):
    """A manifest cannot be used; names file and field."""


_Number = Annotated[float, Field(allow_inf_nan=False)]
_Shade = Annotated[int, Field(ge=0, le=_BRIGHTEST)]
_Pixels = Annotated[int, Field(ge=1, le=_LARGEST_SIDE)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=(), defer_build=True)


class Tensor(_Part):
    """An input or output as the file has it; -1 is a free dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Preprocess(_Part):
    """How a picture becomes the input: resize, order, then x' = (x - mean) * scale per channel.

    `size` is (width, height) in pixels; None means what the input's shape says.
    """

    resize: Literal["stretch", "letterbox", "letterbox-topleft", "crop"] = "stretch"
    size: tuple[_Pixels, _Pixels] | None = None
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["RGB", "BGR", "GRAY"] = "RGB"
    mean: tuple[_Number, ...] = (0.0, 0.0, 0.0)
    scale: _Number | tuple[_Number, ...] = 1.0
    pad: int = Field(114, ge=0, le=255)


class Postprocess(_Part):
    """Which decoder reads the outputs, and its parameters."""

    decoder: str
    confidence: float = Field(0.5, ge=0, le=1)
    iou: float = Field(0.45, ge=0, le=1)
    parameters: dict[str, Any] = Field(default_factory=dict)


class Batching(_Part):
    """How many rows are inferred at once, and how long the first of them waits for more."""

    max_batch_size: int = Field(gt=1, le=4096)
    max_queue_delay_us: int = Field(0, ge=0, le=1_000_000)


class ServedBy(_Part):
    """What runs a version; only the manifest that a server shows has it."""

    platform: str  # as in the model's metadata, see camfleet_contracts.engines
    device: str


class PulledFile(_Part):
    """Where a file was pulled from, and who vouches for its sha256.

    `given`: whoever pulled it named the sha256. `first-pull`: nobody did, it is what came when the
    address was asked first; later pulls from there must give the same.
    """

    url: str  # without user, password and query
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    pinned: Literal["given", "first-pull"]


class ModelManifest(_Part):
    """A manifest with its labels and colours inlined."""

    id: str = ""
    purpose: str = ""
    framework_type: str = ""
    model_file: str = ""
    config_file: str = ""
    label_file: str = ""
    colors_file: str = ""
    license: str = ""
    labels: tuple[str, ...] = ()
    label_colors: tuple[tuple[_Shade, _Shade, _Shade], ...] | None = None  # blue, green, red
    mean: tuple[_Number, ...] | None = None
    scalefactor: _Number | None = None
    size: tuple[_Pixels, ...] | None = None
    swaprb: bool | None = None
    crop: bool | None = None
    softmax: bool | None = None
    quantize_input: bool | None = None
    quantize_output: bool | None = None
    input_format: str = ""
    output_format: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    preprocess: Preprocess | None = None
    postprocess: Postprocess | None = None
    runtimes: tuple[str, ...] = ()
    precision: Literal["f32", "f16", "bf16", "default"] = "f32"
    batching: Batching | None = None
    served_by: ServedBy | None = None
    pulled_from: dict[str, PulledFile] | None = None
    trail: Trail | None = None

    @property
    def unread_keys(self) -> tuple[str, ...]:
        """Keys in its parts that nobody reads, misspelt perhaps: "preprocess.color (colour?)"."""
        parts = {name: getattr(self, name) for name in ("preprocess", "postprocess", "batching")}
        return tuple(
            f"{name}.{key}{_like(key, type(part).model_fields)}"
            for name, part in parts.items()
            if part is not None
            for key in part.model_extra or ()
        )

    def to_json(self) -> str:
        """Return the JSON text that clients receive."""
        return self.model_dump_json(exclude_none=True)


def _like(key: str, known: Iterable[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f" ({near[0]}?)" if near else ""


def parse_manifest(document: Any, *, where: str) -> ModelManifest:
    """Read a manifest's JSON value; a nested alwaysAI one is flattened, outer keys winning.

    A field that is null says as little as one that is not there.

    Raises:
        BadManifest: names `where` and every field at fault.
    """
    if not isinstance(document, dict):
        raise BadManifest(f"{where}: must be a JSON object")
    text = json.dumps(document, ensure_ascii=False, default=str)
    if sendable(text) != text:
        raise BadManifest(f"{where}: holds half of a character, such as \\ud800")
    fields: dict[str, Any] = {}
    for key in _NESTED:
        if isinstance(document.get(key), dict):
            fields |= document[key]
    fields |= {k: v for k, v in document.items() if not (k in _NESTED and isinstance(v, dict))}
    try:
        return ModelManifest(**{key: value for key, value in fields.items() if value is not None})
    except ValidationError as error:
        texts = "; ".join(map(fault_text, error.errors(include_url=False)))
        raise BadManifest(f"{where}: {texts}") from error


def read_manifest(version_folder: Path) -> ModelManifest | None:
    """Read the manifest of a version folder, labels and colours inlined; None when it has none.

    Raises:
        BadManifest: the file, or one of labels or colours it names, cannot be read or used.
    """
    path = next(
        (version_folder / n for n in MANIFEST_NAMES if (version_folder / n).is_file()), None
    )
    if path is None:
        return None
    try:
        document = read_json(path)
    except (OSError, ValueError) as error:
        raise BadManifest(f"{path}: not readable as JSON: {error}") from error
    manifest = parse_manifest(document, where=str(path))
    inlined: dict[str, Any] = {}
    if manifest.label_file and not manifest.labels:
        inlined["labels"] = read_labels(version_folder, manifest.label_file)
    if manifest.colors_file and manifest.label_colors is None:
        inlined["label_colors"] = read_colors(version_folder, manifest.colors_file)
    return manifest.model_copy(update=inlined) if inlined else manifest


def read_labels(version_folder: Path, name: str) -> tuple[str, ...]:
    """Read one label a line from a file of a version folder; "" of a class whose line is empty.

    Raises:
        BadManifest: the file cannot be read, or it lies outside: clients see what is in it.
    """
    lines = [*_lines_of(version_folder, name, "label_file")]
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def read_colors(version_folder: Path, name: str) -> tuple[tuple[int, int, int], ...]:
    """Read one colour a line, `blue,green,red` of 0 to 255, as alwaysAI's colours files have them.

    Raises:
        BadManifest: as `read_labels`, or a line is no colour.
    """
    return tuple(
        _colour_of(line, f"colors_file {name!r}")
        for line in _lines_of(version_folder, name, "colors_file")
        if line
    )


def _colour_of(line: str, where: str) -> tuple[int, int, int]:
    parts = [part.strip() for part in line.split(",")]
    numbers = [int(part) for part in parts if part.isascii() and part.isdecimal()]
    if len(parts) != len(numbers) or len(numbers) != _CHANNELS or max(numbers) > _BRIGHTEST:
        raise BadManifest(f"{where}: line {line[:40]!r} is not a colour; write 0,128,255")
    blue, green, red = numbers
    return blue, green, red


def _lines_of(version_folder: Path, name: str, field: str) -> Iterator[str]:
    """The lines of a file without the space around them."""
    path = version_folder / name
    try:
        if not path.resolve().is_relative_to(version_folder.resolve()):
            raise BadManifest(f"{field} {name!r} leaves the folder {version_folder}")
        text = read_text(path)
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that go in circles
        raise BadManifest(f"{field} {path}: cannot be read: {error}") from error
    return (line.strip() for line in text.splitlines())
