"""A model's newest version as a private server shall load it: with the runtimes that were wished.

The files stay where they are; only model.json is another one.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from camfleet_contracts.model_manifest import MANIFEST_NAMES, ModelManifest


def lay_out(version: Path, manifest: ModelManifest, wishes: Sequence[str], base_path: Path) -> None:
    """Fill `base_path` with one version: links to the files, and its model.json."""
    shutil.rmtree(base_path, ignore_errors=True)  # of a load that failed
    folder = base_path / version.name
    folder.mkdir(parents=True)
    for path in version.iterdir():
        if path.name not in MANIFEST_NAMES:
            (folder / path.name).symlink_to(path.resolve())
    own = manifest.model_copy(
        update={"runtimes": tuple(wishes), "label_file": "", "files": {}, "served_by": None}
    )
    (folder / MANIFEST_NAMES[0]).write_text(own.to_json(), encoding="utf-8")
