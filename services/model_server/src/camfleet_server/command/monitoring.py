"""Which metrics are shown: what the command line says, else config.json, else all of them."""

from contextlib import suppress

from camfleet_contracts.serving_config import BadServingConfig, MetricsConfig, read_serving_config
from camfleet_server.command.settings import ServerSettings

_ALL = MetricsConfig(enable=True)


def choose_metrics(settings: ServerSettings) -> MetricsConfig:
    """Return the choice; `monitoring` of config.json is read once at the start, as in OVMS."""
    if settings.metrics_enable is not None or settings.metrics_list:
        is_on = settings.metrics_enable is not False
        return MetricsConfig(enable=is_on, metrics_list=settings.metrics_list)
    if settings.single_model is None:
        with suppress(BadServingConfig):  # the reload tells it
            return read_serving_config(settings.config_path).metrics or _ALL
    return _ALL
