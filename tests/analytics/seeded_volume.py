"""A model volume with the project's catalogue and nothing to serve yet."""

import shutil
from pathlib import Path


def seed_models(repository: Path, models_dir: Path) -> None:
    """Copy catalogue and cameras; config.json is left to what a test pulls."""
    models_dir.mkdir(parents=True, exist_ok=True)
    for name in ("catalog.json", "cameras.yaml"):
        shutil.copyfile(repository / "models" / name, models_dir / name)
