"""Which models config.json serves, changed by command."""

from pathlib import Path

from camfleet_contracts.serving_config import edit_serving_config


def serve_model(models_dir: Path, name: str, base_path: str | None = None) -> bool:
    """Add a model to config.json; False when it is there already.

    Raises:
        BadServingConfig: config.json cannot be read.
    """
    with edit_serving_config(models_dir / "config.json") as document:
        entries = document["model_config_list"]
        if any(entry.get("config", {}).get("name") == name for entry in entries):
            return False
        entries.append({"config": {"name": name, "base_path": base_path or name}})
    return True


def stop_serving(models_dir: Path, name: str) -> bool:
    """Take a model out of config.json; False when it was not there. Its files stay.

    Raises:
        BadServingConfig: config.json cannot be read.
    """
    with edit_serving_config(models_dir / "config.json") as document:
        entries = document["model_config_list"]
        kept = [entry for entry in entries if entry.get("config", {}).get("name") != name]
        document["model_config_list"] = kept
    return len(kept) < len(entries)
