"""What the server asks of a runtime, and what a runtime is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from camfleet_contracts.model_manifest import ModelManifest, Preprocess
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.types import Tensors, TensorSpec


class LoadError(Exception):
    """The files could not be loaded or run; the text is the reason a user reads."""


class AlreadyClosed(LoadError):
    """The version was unloaded meanwhile."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the version was unloaded meanwhile")


class VendorMissing(LoadError):
    """The vendor's library or device is not on this machine."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One version to load; it is also sent to the probe's process, so it holds plain values."""

    name: str
    version: int
    folder: Path  # or the one model file when base_path names a file
    config: ModelConfig
    manifest: ModelManifest
    cache_dir: Path | None = None
    for_crowds: bool = True  # may be compiled a second time when many requests come at once
    wished_device: str = ""  # of `runtime:DEVICE` in the manifest

    @property
    def device(self) -> str:
        """Return what it shall run on: the manifest's wish, else that of config.json, else ""."""
        return self.wished_device or self.config.target_device


class Servable(Protocol):
    """One loaded version, ready to infer from as many threads at once as it has slots."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    input_aliases: Mapping[str, str]  # other names of a port -> its own name
    output_aliases: Mapping[str, str]
    platform: str  # e.g. "OpenVINO"
    device: str  # what it really runs on
    slots: int

    def infer(self, inputs: Tensors, wanted: tuple[str, ...], *, in_crowd: bool = False) -> Tensors:
        """Return the wanted outputs; inputs are complete, checked and under the model's names.

        `in_crowd` says that other requests run beside this one; it changes no answer.
        """
        ...

    def close(self) -> None:
        """Give the memory back; nobody infers any more."""
        ...


@runtime_checkable
class ServesCrowds(Servable, Protocol):
    """A Servable that can be compiled a second time, for many requests at once.

    It is asked for once, through `on_crowd`, by the first request of a crowd; requests are
    inferred as before until it is handed over.
    """

    on_crowd: "Callable[[ServesCrowds], None] | None"

    def compile_for_crowd(self) -> Servable:
        """Compile; the new servable is this one's from the hand-over on.

        Raises:
            LoadError: it cannot be done.
        """
        ...

    def hand_over_crowd(self, crowd: Servable) -> None:
        """Let `crowd` infer what comes in a crowd; it is closed with this one."""
        ...


@runtime_checkable
class ChoosesThreads(Protocol):
    """What a Servable may have in addition: threads that are chosen by measuring."""

    def choose_threads(self, inputs: Tensors) -> None:
        """Measure on these inputs, once, before anybody infers."""
        ...


@runtime_checkable
class KeepsNothing(Protocol):
    """What a Servable may have in addition: a failed inference leaves nothing behind in it."""

    keeps_nothing: bool


def may_break(servable: Servable) -> bool:
    """Tell whether a failed inference may leave it of no use to all others."""
    return not (isinstance(servable, KeepsNothing) and servable.keeps_nothing)


@dataclass(frozen=True, slots=True)
class PictureInput:
    """The input that takes pictures beside its own tensors, and what becomes of them."""

    name: str
    shape: tuple[int, ...]  # (N, H, W, C) of the UINT8 pictures; N is -1 where the model's is
    preprocess: Preprocess  # colour order, mean, scale; the layout is that of the own tensor


def picture_specs(specs: tuple[TensorSpec, ...], picture: PictureInput) -> tuple[TensorSpec, ...]:
    """Return the inputs of a model with the one for pictures as it takes them."""
    taken = TensorSpec(picture.name, "UINT8", picture.shape)
    return tuple(taken if spec.name == picture.name else spec for spec in specs)


@runtime_checkable
class TakesPictures(Protocol):
    """What a Servable may have in addition: preprocessing in its own graph or on its device."""

    picture_inputs: tuple[TensorSpec, ...]  # as they are without what config.json does to values

    def image_servable(self, picture: PictureInput) -> Servable:
        """Compile a second way into the model, whose input `picture` is UINT8 NHWC.

        Pictures are BGR, or gray where the preprocessing says so. It takes as many requests at
        once as this one, and is closed on its own.

        Raises:
            LoadError: the preprocessing does not fit the model.
        """
        ...


@runtime_checkable
class KnowsDevices(Protocol):
    """What a Runtime may have in addition: which devices it has here."""

    def devices(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what is known of each that is here, and a `reason` for each that is not."""
        ...


class Runtime(Protocol):
    """Loads model files onto a device."""

    def load(self, source: ModelSource) -> Servable:
        """Load a version.

        Raises:
            LoadError: says which file and why.
        """
        ...
