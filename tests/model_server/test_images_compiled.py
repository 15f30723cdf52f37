"""The graph for pictures: compiled once, by the first or before, and runtimes that have none."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from camfleet_contracts.model_manifest import ModelManifest, Preprocess
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.images.entrance import Entrances
from camfleet_server.images.errors import EntranceClosed
from camfleet_server.images.reader import PictureReader
from camfleet_server.runtimes.base import LoadError, PictureInput, Servable
from camfleet_server.types import Tensors, TensorSpec
from picture_models import as_bytes, load_echo, png, scene

PICTURE = scene(96, 64)
BGR = Preprocess(colour="BGR")


def test_the_graph_is_compiled_once_while_own_tensors_go_on() -> None:
    servable = SlowToCompile()
    manifest = ModelManifest(preprocess=BGR)
    entrances = Entrances("slow", 1, servable, manifest, ModelConfig(name="slow", base_path="."))
    reader = PictureReader()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(entrances.enter, {"image": PICTURE}, reader) for _ in range(3)]
        assert servable.began.wait(60)
        own = {"image": np.zeros((1, 3, 64, 96), np.float32)}
        assert entrances.enter(own, reader)[1] is own
        servable.may_end.set()
        assert len({id(future.result(60)[0]) for future in waiting}) == 1
    assert servable.compilations == 1


def test_the_graph_can_be_compiled_before_the_first_picture(tmp_path: Path) -> None:
    echo = load_echo(tmp_path / "good", [1, 3, 64, 96], BGR)
    assert not echo.entrances.is_compiled
    prepared = echo.entrances.prepare()
    assert echo.entrances.is_compiled
    assert echo.entrances.enter({"image": PICTURE}, echo.reader)[0] is prepared
    assert load_echo(tmp_path / "none", [1, 3, 64, 96]).entrances.prepare() is None
    assert load_echo(tmp_path / "bad", [1, 1, 64, 96], BGR).entrances.prepare() is None


def test_a_version_that_is_unloaded_before_its_first_picture_sends_it_on(tmp_path: Path) -> None:
    echo = load_echo(tmp_path, [1, 3, 64, 96], BGR)
    echo.entrances.close()
    echo.servable.close()
    with pytest.raises(EntranceClosed):
        echo.see(PICTURE)


def test_runtimes_without_a_graph_of_their_own_get_pictures_through_numpy() -> None:
    servable = OwnTensorsOnly()
    preprocess = Preprocess(resize="letterbox", colour="RGB", mean=(10.0,), scale=0.5)
    manifest = ModelManifest(preprocess=preprocess)
    plain = Entrances("plain", 1, servable, manifest, ModelConfig(name="plain", base_path="."))
    image_servable, inputs = plain.enter({"image": as_bytes(png(PICTURE))}, PictureReader())
    seen = image_servable.infer(inputs, ("seen",))["seen"]
    expected = (PICTURE[..., ::-1].astype(np.float32) - 10) * 0.5
    np.testing.assert_array_equal(seen[0].transpose(1, 2, 0), expected)


class OwnTensorsOnly:
    """A servable whose output is its input."""

    platform, device, slots = "test", "CPU", 1
    input_aliases: Mapping[str, str]
    output_aliases: Mapping[str, str]

    def __init__(self) -> None:
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("image", "FP32", (1, 3, 64, 96)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("seen", "FP32", (1, 3, 64, 96)),)
        self.input_aliases = {}
        self.output_aliases = {}

    def infer(self, inputs: Tensors, wanted: tuple[str, ...], *, in_crowd: bool = False) -> Tensors:
        return dict.fromkeys(wanted, inputs["image"])

    def close(self) -> None:
        """Nothing to give back."""


class SlowToCompile(OwnTensorsOnly):
    """Compiles for pictures when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.picture_inputs = self.inputs
        self.began, self.may_end = threading.Event(), threading.Event()
        self.compilations = 0

    def image_servable(self, picture: PictureInput) -> Servable:
        self.compilations += 1
        self.began.set()
        if not self.may_end.wait(60):
            raise LoadError(f"nobody let {picture.name} go on")
        return OwnTensorsOnly()
