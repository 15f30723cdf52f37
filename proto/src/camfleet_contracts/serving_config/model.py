"""What config.json says, as values."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
)

from camfleet_contracts.serving_config.forms import (
    check_batch_size,
    check_colours,
    check_numbers,
    check_policy,
    check_precisions,
    check_properties,
    check_scale,
    check_shape,
)

Number = StrictInt | StrictFloat
Numbers = Number | StrictStr | list[Number]

METRICS = (
    "ovms_streams",
    "ovms_current_requests",
    "ovms_current_graphs",
    "ovms_requests_success",
    "ovms_requests_fail",
    "ovms_requests_accepted",
    "ovms_requests_rejected",
    "ovms_responses",
    "ovms_graph_error",
    "ovms_request_time_us",
    "ovms_inference_time_us",
    "ovms_wait_for_infer_req_time_us",
    "ovms_graph_processing_time_us",
    "ovms_graph_request_latency_us",
    "ovms_infer_req_queue_size",
    "ovms_infer_req_active",
)


class BadServingConfig(Exception):
    """config.json as a whole cannot be used."""

    def __init__(self, path: Path, reason: str, line: int | None = None) -> None:
        self.path, self.reason, self.line = path, reason, line
        super().__init__(f"{path}{f':{line}' if line else ''}: {reason}")


class ModelConfig(BaseModel):
    """One entry of `model_config_list`; `base_path` is absolute.

    `shape`, `layout`, `mean`, `scale`, `color_format` and `precision` are one value for a model
    with one input, or an object with one value per input.
    """

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    name: str = Field(min_length=1)
    base_path: Path
    batch_size: Annotated[StrictInt | StrictStr, AfterValidator(check_batch_size)] | None = None
    shape: (
        Annotated[
            StrictStr | list[StrictInt] | dict[str, StrictStr | list[StrictInt]],
            AfterValidator(check_shape),
        ]
        | None
    ) = None
    layout: StrictStr | dict[str, StrictStr] | None = None
    model_version_policy: dict[str, Any] | None = None
    nireq: StrictInt = Field(0, ge=0, le=100_000)
    target_device: str = ""
    plugin_config: Annotated[
        dict[str, StrictStr | StrictBool | StrictInt | StrictFloat],
        BeforeValidator(check_properties),
    ] = Field(default_factory=dict)
    mean: Annotated[Numbers | dict[str, Numbers], AfterValidator(check_numbers)] | None = None
    scale: Annotated[Numbers | dict[str, Numbers], AfterValidator(check_scale)] | None = None
    color_format: (
        Annotated[StrictStr | dict[str, StrictStr], AfterValidator(check_colours)] | None
    ) = None
    precision: (
        Annotated[StrictStr | dict[str, StrictStr], AfterValidator(check_precisions)] | None
    ) = None
    allow_cache: StrictBool = False

    @field_validator("model_version_policy")
    @classmethod
    def _one_known_policy(cls, policy: dict[str, Any] | None) -> dict[str, Any] | None:
        return check_policy(policy)


class MetricsConfig(BaseModel):
    """`monitoring.metrics`: whether the metrics are shown, and which of OVMS's (empty: all)."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    enable: StrictBool
    metrics_list: tuple[str, ...] = ()


class ServingConfig(BaseModel):
    """What config.json asks for, with what had to be left out and why."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    models: tuple[ModelConfig, ...] = ()
    metrics: MetricsConfig | None = None
    warnings: tuple[str, ...] = ()
    entry_faults: dict[str, str] = Field(default_factory=dict)

    @property
    def told_entry_faults(self) -> list[str]:
        """The faults, each behind the name of its entry."""
        return [f"{name}: {fault}" for name, fault in self.entry_faults.items()]
