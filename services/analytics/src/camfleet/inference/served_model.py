"""What a client knows of one version of a served model."""

from dataclasses import dataclass

from camfleet_contracts.model_manifest import ModelManifest


class UnusableModel(ValueError):
    """The model is served, but a camera cannot use it; the text says what to change."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input as the model file has it; -1 is a free dimension."""

    name: str
    datatype: str  # KServe's names: FP32, UINT8 ...
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One version: how to ask it and how to read its answer."""

    name: str
    version: int
    manifest: ModelManifest
    input: TensorSpec
    takes_pictures: bool = False  # UINT8 pixels beside its own tensor

    def takes_same_input_as(self, other: "ServedModel") -> bool:
        """True when a tensor made for the other one is also right for this one."""
        if self is other:
            return True
        return self.input == other.input and self.manifest.preprocess == other.manifest.preprocess
