"""Which models config.json serves, changed by command."""

from pathlib import Path

from camfleet_contracts.serving_config import put_model, remove_model, withdraw_model


def serve_model(models_dir: Path, name: str, base_path: str | None = None) -> bool:
    """Add a model to config.json; False when it is there already.

    Raises:
        BadServingConfig: config.json cannot be read.
    """
    entry = {"name": name, "base_path": base_path or name}
    return put_model(models_dir / "config.json", entry, replace=False)


def stop_serving(models_dir: Path, name: str) -> bool:
    """Take a model out of config.json; False when it was not there. Its files stay.

    Raises:
        BadServingConfig: config.json cannot be read.
    """
    return remove_model(models_dir / "config.json", name)


def withdraw(models_dir: Path, name: str) -> None:
    """Take a model that was just added out of config.json, and out of its history.

    Raises:
        BadServingConfig: config.json cannot be read.
    """
    withdraw_model(models_dir / "config.json", name)
