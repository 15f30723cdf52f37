"""What can go wrong before a model can be asked.

InferenceError
└── NoPrivateServer     it is not installed, or does not start
ServerAbsent
├── ServerGone          nobody answers at the address that a service asks
└── PrivateServerEnded  it was there and is no more
ModelMissing
└── ModelNotPulled      a private server finds no version of the model in its folder
"""

from collections.abc import Sequence
from pathlib import Path

from camfleet.inference.errors import InferenceError, ModelMissing, ServerAbsent


class NoPrivateServer(InferenceError):
    """The model server that belongs to this process cannot be had."""


class ServerGone(ServerAbsent):
    """Nobody answers at the address that a service asks."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        text = (
            f"model server {server} does not answer; start it (`camfleet up`), or name another one "
            "with server= or CAMFLEET_SERVER (`local` for one of this process)"
        )
        self.args = (text,)


class PrivateServerEnded(ServerAbsent):
    """The model server that belongs to this process is there no more."""

    def __init__(self, last_words: str) -> None:
        super().__init__("of this process")
        told = f"; its last words: {last_words}" if last_words else ""
        self.args = (f"the private model server has ended; load() starts another one{told}",)


class ModelNotPulled(ModelMissing):
    """The folder of models has no version of it, or not the one that is named."""

    def __init__(
        self, name: str, models_dir: Path, version: int | None, there: Sequence[int]
    ) -> None:
        super().__init__(name, f"the private server, whose folder of models is {models_dir}")
        text = (
            f"model '{name}' is not in {models_dir}; run `camfleet model pull {name}` in this "
            f"folder, `camfleet app models add {name}` in an application's, or set MODELS_DIR"
        )
        if there:
            numbers = ", ".join(map(str, there))
            text = f"model '{name}' has no version {version} in {models_dir}; it has {numbers}"
        self.args = (text,)
