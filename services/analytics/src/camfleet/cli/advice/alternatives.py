"""What the volume knows about a model and those that could stand in for it."""

from dataclasses import dataclass

from camfleet_contracts.catalog import BadCatalog, Catalog, read_catalog
from camfleet_contracts.serving_config import BadServingConfig, read_serving_config
from camfleet_contracts.settings import FleetSettings

_THREADS = "INFERENCE_NUM_THREADS"
_MOST_NAMED = 2


@dataclass(frozen=True, slots=True)
class Alternatives:
    """For one model."""

    smaller: tuple[str, ...] = ()  # of the catalogue, for the same purpose, smallest first
    has_threads_set: bool = True  # also where config.json is not at hand


def alternatives_to(settings: FleetSettings, model: str) -> Alternatives:
    """What is on this machine's volume; nothing where the volume is elsewhere."""
    return Alternatives(_smaller(settings, model), _has_threads_set(settings, model))


def _smaller(settings: FleetSettings, model: str) -> tuple[str, ...]:
    try:
        catalog: Catalog = read_catalog(settings.models_dir / "catalog.json")
    except (OSError, BadCatalog):
        return ()
    own = catalog.find(model)
    if own is None:
        return ()
    alike = [e for e in catalog.entries if e.purpose == own.purpose and e.name != own.name]
    smaller = sorted((e.size_bytes, e.name) for e in alike if e.size_bytes < own.size_bytes)
    return tuple(name for _, name in smaller[:_MOST_NAMED])


def _has_threads_set(settings: FleetSettings, model: str) -> bool:
    try:
        config = read_serving_config(settings.models_dir / "config.json")
    except (OSError, BadServingConfig):
        return True
    served = [one for one in config.models if one.name == model]
    return any(_THREADS in one.plugin_config for one in served) or not served
