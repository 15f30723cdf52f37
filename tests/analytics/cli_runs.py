"""Run the `camfleet` command inside the test process."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from camfleet.cli import main
from camfleet_contracts.seed import seed_folder

_SEED = Path(__file__).parents[2] / "models"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


class CommandLine:
    """A shell of its own: environment, folders, and the command."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.models = folder / "models"
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("COLUMNS", "200")
        self.set(
            MODELS_DIR=self.models,
            CAMFLEET_STATE=folder / "state",
            CAMFLEET_CACHE=folder / "cache",
            CAMFLEET_NOTEBOOKS=folder / "notebooks",
            REST_PORT=1,
            GRPC_PORT=1,
            CAPTURE_HTTP_PORT=1,
            STREAMER_PORT=1,  # a fleet that runs on this machine is not the one meant
        )

    def set(self, **variables: object) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, str(value))

    def make_volume(self) -> None:
        """Seed the model volume, as the first `camfleet up` does."""
        seed_folder(_SEED, self.models)

    def run(self, *arguments: str) -> Outcome:
        """Run `camfleet ARGUMENTS` and return how it ended and what it wrote."""
        self._monkeypatch.setattr(sys, "argv", ["camfleet", *arguments])
        self._capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        else:
            code = 0
        written = self._capsys.readouterr()
        return Outcome(code, written.out, written.err)


def contents(folder: Path) -> set[str]:
    """Everything in a volume but locks and the history of changes."""
    ignored = {".history", "publish.lock", "config.json.lock"}
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not ignored & set(path.relative_to(folder).parts) and not path.name.endswith(".lock")
    }
