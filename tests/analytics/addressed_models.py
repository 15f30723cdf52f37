"""Files of models at addresses, for the tests of `camfleet model pull`."""

import hashlib

from camfleet_contracts.model_manifest import ModelManifest, read_manifest
from cli_runs import CommandLine, Outcome

WEIGHTS = bytes(range(256)) * 4000  # about 1 MB
OTHER = WEIGHTS[::-1]
GRAPH = b"<net/>"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest_of(camfleet: CommandLine, name: str, version: int = 1) -> ModelManifest:
    manifest = read_manifest(camfleet.models / name / str(version))
    assert manifest is not None
    return manifest


def assert_nothing_was_published(camfleet: CommandLine, outcome: Outcome) -> None:
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert not list(camfleet.models.glob("*/*"))
    assert not list(camfleet.models.glob("config.json"))
