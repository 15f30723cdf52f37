"""JSON Schemas of the files and messages: `python -m camfleet_contracts.json_schemas FOLDER`."""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from camfleet_contracts.cameras import CamerasFile
from camfleet_contracts.catalog import Catalog
from camfleet_contracts.events import (
    Envelope,
    ObjectDetectionResults,
    OccurrenceEvent,
    TrackingResults,
)
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig

SCHEMAS: dict[str, type[BaseModel]] = {
    "cameras": CamerasFile,
    "catalog": Catalog,
    "config-model": ModelConfig,
    "envelope": Envelope,
    "model": ModelManifest,
    "object-detection-results": ObjectDetectionResults,
    "occurrence-event": OccurrenceEvent,
    "tracking-results": TrackingResults,
}


def schema_text(name: str) -> str:
    """Return the JSON Schema of one contract, as the committed file holds it."""
    return json.dumps(SCHEMAS[name].model_json_schema(by_alias=True), indent=2) + "\n"


def main() -> int:
    """Write every schema into the folder given."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.stderr.write("usage: python -m camfleet_contracts.json_schemas FOLDER\n")
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(schema_text(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
