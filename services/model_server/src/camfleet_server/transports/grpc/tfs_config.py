"""The configuration inside TensorFlow Serving's reload request."""

from typing import Any

from camfleet_contracts.protocols import serving_pb2 as pb
from camfleet_server.errors import InvalidInput
from camfleet_server.types import WantedModel

_PLATFORMS = ("", "tensorflow", "openvino")  # what a model is, its files say


def wanted_models(request: pb.ReloadConfigRequest) -> tuple[WantedModel, ...]:
    """Read the models of a reload request; none when it has no configuration.

    Raises:
        InvalidInput: it has one of another kind, or for another server.
    """
    if request.config.WhichOneof("config") == "custom_model_config":
        raise InvalidInput(
            "Invalid config in the request - Expected: model_config_list; "
            "Actual: custom_model_config"
        )
    return tuple(_wanted(model) for model in request.config.model_config_list.config)


def _wanted(model: pb.ModelConfig) -> WantedModel:
    if model.model_platform not in _PLATFORMS:
        raise InvalidInput(
            f"Invalid config in the request - {model.name}: model_platform "
            f"{model.model_platform!r} is not supported; leave it out or say tensorflow"
        )
    return WantedModel(
        name=model.name,
        base_path=model.base_path,
        version_policy=_version_policy(model.model_version_policy),
        labels=dict(model.version_labels),
    )


def _version_policy(
    policy: pb.FileSystemStoragePathSourceConfig.ServableVersionPolicy,
) -> dict[str, Any] | None:
    kind = policy.WhichOneof("policy_choice")
    if kind == "latest":
        return {"latest": {"num_versions": max(1, policy.latest.num_versions)}}
    if kind == "specific":
        return {"specific": {"versions": list(policy.specific.versions)}}
    return {"all": {}} if kind == "all" else None
