"""What OVMS serves or served beside models, and clouds as base paths: reasons and ways out."""

from collections.abc import Iterator
from typing import Any

from camfleet_contracts.serving_config.forms import is_name

_CLOUD = ("s3://", "gs://", "azure://", "az://", "azfs://")
_MODEL_KEYS = {
    "graph_path": "MediaPipe graphs",
    "subconfig": "MediaPipe graphs",
    "custom_loader_options": "custom model loaders",
    "stateful": "stateful models",
    "low_latency_transformation": "stateful models",
}
_WAYS_OUT = {
    "MediaPipe graphs": "serve each model of the graph by its own entry and connect them in the "
    "client, or keep OVMS for the graph",
    "custom model loaders": "put the model as plain files into a version folder, decrypted by "
    "what publishes it",
    "stateful models": "export the model with its state as inputs and outputs, and send the state "
    "along with each request",
    "DAG pipelines": "call the models one after the other in the client; the library camfleet "
    "does so for detectors and classifiers",
    "custom node libraries": "do the step in the client, or inside the model with OpenVINO's "
    "PrePostProcessor",
}
_IN_OVMS = {
    "stateful models": " (OVMS dropped them in 2026.3)",
    "DAG pipelines": " (OVMS calls them legacy and will drop them)",
    "custom node libraries": " (OVMS will drop them with its DAG pipelines)",
    "custom model loaders": " (deprecated in OVMS)",
}
_LISTS = {
    "pipeline_config_list": ("DAG pipelines", "name"),
    "mediapipe_config_list": ("MediaPipe graphs", "name"),
    "custom_loader_config_list": ("custom model loaders", "loader_name"),
    "custom_node_library_config_list": ("custom node libraries", "name"),
}
REFUSED_LISTS = tuple(_LISTS)
WITHOUT_EFFECT = {
    "idle_sequence_cleanup": "it is for stateful models",
    "max_sequence_number": "it is for stateful models",
    "sequence_timeout": "it is for stateful models",
    "version": "OVMS does not read it either; use model_version_policy",
}


def refuse_model(fields: dict[str, Any]) -> None:
    """Raise ValueError for an entry that asks for what is not offered; says why and what then."""
    for key, what in _MODEL_KEYS.items():
        if fields.get(key):  # `"stateful": false` asks for nothing
            raise ValueError(_reason(key, what))
    base_path = fields.get("base_path")
    if isinstance(base_path, str) and base_path.startswith(_CLOUD):
        raise ValueError(
            f"base_path {base_path!r} is cloud storage, which is not read; copy the model to the "
            "volume or mount the bucket, and give the folder"
        )


def refused_entries(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and reason of every entry in the top-level lists that are not offered."""
    for key, (what, name_key) in _LISTS.items():
        entries = document.get(key)
        for number, entry in enumerate(entries if isinstance(entries, list) else []):
            fields = entry.get("config", entry) if isinstance(entry, dict) else {}
            name = fields.get(name_key) if isinstance(fields, dict) else None
            label = name if is_name(name) else f"{key}[{number}]"
            yield label, _reason(key, what)


def _reason(key: str, what: str) -> str:
    in_ovms = _IN_OVMS.get(what, "")
    return f"{key}: {what} are not served here{in_ovms}; {_WAYS_OUT[what]}"
