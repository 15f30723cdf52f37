"""Both entrances of the runtimes that do not preprocess in their own graph, against OpenVINO's."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet_contracts.model_manifest import Preprocess
from camfleet_server.images.entrance import Entrances
from camfleet_server.images.reader import PictureReader
from camfleet_server.runtimes.base import Servable
from loaded_models import load, save_scaler, source_of
from picture_models import as_bytes, jpeg, scene

SHAPES = {"NCHW": (1, 3, 64, 96), "NHWC": (1, 64, 96, 3)}
PREPROCESSES: dict[str, dict[str, Any]] = {
    "per channel": {"mean": (120.0, 115.0, 100.0), "scale": (0.02, 0.01, 0.03)},
    "one scale": {"scale": 1 / 255},
    "as it is": {},
}


def seen(servable: Servable, preprocess: Preprocess, picture: Any) -> Any:
    """What the model gets to see of a picture."""
    source = source_of(Path(), {"preprocess": preprocess})
    entrances = Entrances("m", 1, servable, source.manifest, source.config)
    image_servable, inputs = entrances.enter({servable.inputs[0].name: picture}, PictureReader())
    name = servable.outputs[0].name
    return image_servable.infer(inputs, (name,))[name]


@pytest.mark.parametrize("runtime", ["onnxruntime", "opencv"])
@pytest.mark.parametrize("values", PREPROCESSES)
@pytest.mark.parametrize("colour", ["RGB", "BGR"])
@pytest.mark.parametrize("layout", SHAPES)
def test_a_picture_becomes_the_tensor_that_openvino_makes_of_it(
    tmp_path: Path, runtime: str, values: str, colour: str, layout: Any
) -> None:
    path = save_scaler(tmp_path / "m.onnx", 1, SHAPES[layout])
    preprocess = Preprocess(
        colour=colour, layout=layout, resize="letterbox", **PREPROCESSES[values]
    )
    manifest = {"preprocess": preprocess}
    reference = load(path, "openvino", manifest=manifest)
    picture = as_bytes(jpeg(scene(350, 290)))
    own = seen(load(path, runtime, manifest=manifest), preprocess, picture)
    np.testing.assert_allclose(own, seen(reference, preprocess, picture), atol=1e-5)


def test_quantised_models_take_pictures_too(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "models" / "mobilenet-v1-025-128-quant"
    path = Path(shutil.copy(next(source.glob("*.tflite")), tmp_path))
    preprocess = Preprocess(colour="RGB", layout="NHWC")
    manifest = {"preprocess": preprocess}
    picture = as_bytes((shared_data / "media" / "images" / "zebra.jpeg").read_bytes())
    answers = [
        seen(load(path, runtime, manifest=manifest), preprocess, picture)
        for runtime in ("litert", "openvino")
    ]
    assert answers[0].argmax() == answers[1].argmax()
    assert np.abs(answers[0].astype(int) - answers[1]).max() <= 12  # of 255: it rounds otherwise
