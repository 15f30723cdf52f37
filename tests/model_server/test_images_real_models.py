"""Real detectors find the same in a JPEG as in the tensor made of it on the reference path."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet.decoders import get_decoder
from camfleet.detections import Detections
from camfleet.inference.preprocessing import input_size
from camfleet.inference.served_model import TensorSpec
from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.model_manifest import ModelManifest, Preprocess, parse_manifest
from camfleet_contracts.pictures import Resize, fit, normalise
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.images.entrance import Entrances
from camfleet_server.images.pixels import scale
from camfleet_server.images.reader import PictureReader
from camfleet_server.reload.loading import load_servable
from camfleet_server.runtimes.base import ModelSource, Servable
from camfleet_server.types import Tensors
from direct_inference import MODELS, expected_of
from picture_models import RUNTIMES, as_bytes, decoded

pytestmark = pytest.mark.long

CONFIDENCE = 0.4


@dataclass
class Detector:
    """A model of the shared data, loaded as the server does, and its decoder."""

    manifest: ModelManifest
    servable: Servable
    entrances: Entrances

    @property
    def preprocess(self) -> Preprocess:
        assert self.manifest.preprocess is not None
        return self.manifest.preprocess

    def prepare(self, content: bytes) -> tuple[Any, Resize]:
        """Decode whole, scale by area, normalise with numpy."""
        own, whole = self.servable.inputs[0], decoded(content)
        spec = TensorSpec(own.name, own.datatype, own.shape)
        size = input_size(self.preprocess, spec, own.name)
        resize = fit(self.preprocess.resize, (whole.shape[1], whole.shape[0]), size)
        placed = resize.place(scale(whole, resize.scaled_size), self.preprocess.pad)
        ordered = placed[..., ::-1] if self.preprocess.colour == "RGB" else placed
        dtype = get_datatype(own.datatype, own.name).dtype
        return normalise(ordered, self.preprocess, dtype)[None], resize

    def detect(self, image: Any, resize: Resize) -> Detections:
        given = {self.servable.inputs[0].name: image}
        servable, inputs = self.entrances.enter(given, PictureReader())
        names = tuple(spec.name for spec in servable.outputs)
        return self.decode(servable.infer(inputs, names), resize)

    def decode(self, outputs: Tensors, resize: Resize) -> Detections:
        postprocess = self.manifest.postprocess
        assert postprocess is not None
        decode = get_decoder(postprocess.decoder)
        return decode(outputs, self.manifest, resize, CONFIDENCE, postprocess.iou)


def load_detector(shared_data: Path, name: str) -> Detector:
    entry = deepcopy(MODELS[name])
    folder = shared_data / "models" / entry.pop("folder", name)
    if anchors := entry.pop("anchors", None):
        entry["postprocess"]["parameters"]["anchors"] = np.load(folder / anchors).tolist()
    if "label_file" in entry:
        entry["labels"] = (folder / entry["label_file"]).read_text().splitlines()
    manifest = parse_manifest({"id": name, **entry}, where=name)
    config = ModelConfig(name=name, base_path=folder / manifest.model_file)
    source = ModelSource(name, 1, folder / manifest.model_file, config, manifest)
    servable = load_servable(source, RUNTIMES)
    return Detector(manifest, servable, Entrances(name, 1, servable, manifest, config))


@pytest.mark.parametrize(
    "name", ["fastestdet-coco", "yolox-nano-coco", "yunet-n", "ssd-mobilenet-v1-coco-quant"]
)
def test_both_entrances_find_the_same_objects(shared_data: Path, name: str) -> None:
    detector = load_detector(shared_data, name)
    images = [image for image in expected_of(shared_data, name)["images"] if "jp" in image]
    for image in images[:2]:
        content = (shared_data / "media" / "images" / image).read_bytes()
        tensor, resize = detector.prepare(content)
        own = detector.detect(tensor, resize)
        pictured = detector.detect(as_bytes(content), resize)
        assert len(own) > 0
        assert pictured.labels == own.labels
        np.testing.assert_allclose(pictured.confidence, own.confidence, atol=0.001)
        np.testing.assert_allclose(pictured.xyxy, own.xyxy, atol=0.1)
