"""config.json: which models are served, in the schema and meaning of OVMS 2026.2.1."""

from camfleet_contracts.serving_config.editing import (
    edit_serving_config,
    put_model,
    remove_model,
    replace_models,
    withdraw_model,
)
from camfleet_contracts.serving_config.history import (
    Change,
    NoSuchChange,
    changes_of,
    keep_if_unknown,
    newest_change,
    roll_back,
)
from camfleet_contracts.serving_config.model import (
    METRICS,
    BadServingConfig,
    MetricsConfig,
    ModelConfig,
    ServingConfig,
)
from camfleet_contracts.serving_config.parsing import (
    parse_model,
    parse_serving_config,
    read_config_text,
    read_serving_config,
    reasons_of,
)

__all__ = [
    "METRICS",
    "BadServingConfig",
    "Change",
    "MetricsConfig",
    "ModelConfig",
    "NoSuchChange",
    "ServingConfig",
    "changes_of",
    "edit_serving_config",
    "keep_if_unknown",
    "newest_change",
    "parse_model",
    "parse_serving_config",
    "put_model",
    "read_config_text",
    "read_serving_config",
    "reasons_of",
    "remove_model",
    "replace_models",
    "roll_back",
    "withdraw_model",
]
