"""The inputs and outputs of a loaded model, under the names that clients use."""

from dataclasses import dataclass, field

from camfleet_server.runtimes.mapping import TensorMapping, rename
from camfleet_server.types import TensorSpec


@dataclass(frozen=True, slots=True)
class Ports:
    """Inputs and outputs in the file's order, and the other names each answers to."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    input_aliases: dict[str, str] = field(default_factory=dict)
    output_aliases: dict[str, str] = field(default_factory=dict)

    def renamed(self, mapping: TensorMapping) -> "Ports":
        """Return the ports under the aliases of mapping_config.json; raises LoadError."""
        inputs, input_aliases = rename(self.inputs, self.input_aliases, mapping.inputs, "inputs")
        outputs, output_aliases = rename(
            self.outputs, self.output_aliases, mapping.outputs, "outputs"
        )
        return Ports(inputs, outputs, input_aliases, output_aliases)
