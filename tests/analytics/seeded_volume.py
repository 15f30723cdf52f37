"""Model volumes: with the project's catalogue and nothing to serve yet, or with the demo model."""

import shutil
from pathlib import Path


def seed_models(repository: Path, models_dir: Path) -> None:
    """Copy catalogue and cameras; config.json is left to what a test pulls."""
    models_dir.mkdir(parents=True, exist_ok=True)
    for name in ("catalog.json", "cameras.yaml"):
        shutil.copyfile(repository / "models" / name, models_dir / name)


def seed_demo(repository: Path, models_dir: Path) -> None:
    """Copy the embedded demo model and the config.json that serves it."""
    shutil.copytree(repository / "models" / "demo-street", models_dir / "demo-street")
    shutil.copyfile(repository / "models" / "config.json", models_dir / "config.json")
