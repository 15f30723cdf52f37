"""Models that answer with what reaches their input, and pictures to send to them."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.model_manifest import ModelManifest, Preprocess
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.images.entrance import Entrances
from camfleet_server.images.reader import PictureReader
from camfleet_server.reload.loading import load_servable
from camfleet_server.runtimes.base import ModelSource, Servable
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.runtimes.table import Runtimes

opset = ov.opset13

RUNTIMES = Runtimes()
Pixels = NDArray[np.uint8]


def save_echo(folder: Path, shape: Sequence[int], kind: type = np.float32) -> None:
    """Save a model whose output `seen` is its input `image`, as FP32."""
    image = opset.parameter(list(shape), kind, name="image")
    image.output(0).set_names({"image"})
    seen = opset.add(opset.convert(image, "f32"), np.float32(0))
    seen.output(0).set_names({"seen"})
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(ov.Model([seen], [image], "echo"), folder / "model.xml", compress_to_fp16=False)


@dataclass
class Echo:
    """A loaded echo model with its two entrances."""

    servable: Servable
    entrances: Entrances
    reader: PictureReader = field(default_factory=PictureReader)

    def see(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """Send something to `image`; returns what the model's own input got."""
        servable, inputs = self.entrances.enter({"image": image}, self.reader)
        seen: NDArray[np.float32] = servable.infer(inputs, ("seen",))["seen"]
        return seen

    def see_pixels(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """As `see`, for one picture and NCHW: (H, W, C)."""
        return np.transpose(self.see(image)[0], (1, 2, 0))


def load_echo(
    folder: Path,
    shape: Sequence[int],
    preprocess: Preprocess | None = None,
    kind: type = np.float32,
    **config: Any,
) -> Echo:
    """Make and load an echo model."""
    save_echo(folder, shape, kind)
    manifest = ModelManifest(preprocess=preprocess)
    settings = ModelConfig(name="echo", base_path=folder, **config)
    servable = load_servable(ModelSource("echo", 1, folder, settings, manifest), RUNTIMES)
    return Echo(servable, Entrances("echo", 1, servable, manifest, settings))


def as_bytes(*contents: bytes) -> NDArray[Any]:
    """Make a BYTES tensor of pictures."""
    array = np.empty(len(contents), object)
    array[:] = contents
    return array


def scene(width: int, height: int) -> Pixels:
    """A picture (H, W, 3) of slopes, edges and texture, different in every channel."""
    y, x = np.mgrid[0:height, 0:width]
    slope = 255 * x / width
    edges = 200 * ((x // 23 + y // 17) % 2) + 20
    waves = 127 + 100 * np.sin(x / 9) * np.cos(y / 7)
    return np.stack([slope, edges, waves], axis=-1).astype(np.uint8)


def jpeg(pixels: NDArray[Any], *options: int) -> bytes:
    return _encoded(".jpg", pixels, options or (cv2.IMWRITE_JPEG_QUALITY, 90))


def png(pixels: NDArray[Any], *options: int) -> bytes:
    return _encoded(".png", pixels, options)


def decoded(content: bytes) -> Pixels:
    """The whole picture, BGR."""
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any number of pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    end = b"\0\0\0\0IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header))
    return start + chunk + struct.pack(">I", zlib.crc32(chunk)) + end


def turned(content: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF tag that says how a viewer has to turn it."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[2:]


def _encoded(kind: str, pixels: NDArray[Any], options: Sequence[int]) -> bytes:
    succeeded, content = cv2.imencode(kind, pixels, list(options))
    assert succeeded, kind
    return content.tobytes()
