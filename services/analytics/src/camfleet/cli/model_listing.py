"""Tables of models: those of the volume with their state, those that can be pulled."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from rich.markup import escape

from camfleet.cli.console import note, out, print_json, print_reasons, table
from camfleet.cli.server_status import VersionState, served_models
from camfleet.cli.volume_seed import catalog_to_look_at
from camfleet_contracts.catalog import Catalog, CatalogEntry, read_catalog
from camfleet_contracts.direct import server_rest_address
from camfleet_contracts.serving_config import ServingConfig, read_serving_config
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

_COLOURS = {"AVAILABLE": "green", "LOADING": "yellow", "START": "yellow", "UNLOADING": "yellow"}
_INDENT = "    "


def print_models(settings: FleetSettings, *, as_json: bool) -> None:
    """The models of volume and config.json, with versions and the server's word on them."""
    config = _config_of(settings)
    states = served_models(settings)
    rows = _models(settings, config, states)
    if as_json:
        print_json(
            {"server": None if states is None else server_rest_address(settings), "models": rows}
        )
        return
    shown = table("model", "on the volume", "in config.json", "server")
    for row in rows:
        shown.add_row(
            row["name"],
            ", ".join(map(str, row["versions"])) or "-",
            "yes" if row["served"] else "no",
            _state_cell(row["states"], answered=states is not None),
        )
    out.print(shown)
    print_reasons(
        (f"{row['name']} version {state['version']}", state["reason"])
        for row in rows
        for state in row["states"]
    )
    for warning in (*config.told_entry_faults, *config.warnings):
        note(f"config.json: {warning}")
    if states is None:
        note(
            f"the model server does not answer at {server_rest_address(settings)}; "
            "`camfleet up` starts it"
        )


def _config_of(settings: FleetSettings) -> ServingConfig:
    """What config.json names: nothing where there is none, as a look makes no volume."""
    path = settings.models_dir / "config.json"
    if path.is_file():
        return read_serving_config(path)
    note(
        f"{path.absolute()} is not there, so nothing is served from this volume; `camfleet up` or "
        "`camfleet model pull NAME` makes it, MODELS_DIR names another"
    )
    return ServingConfig()


def print_catalog(settings: FleetSettings, word: str, *, as_json: bool) -> None:
    """The entries in which the word occurs."""
    entries = matching(read_catalog(catalog_to_look_at(settings)), word)
    if as_json:
        print_json([entry.model_dump(include=_FIELDS) for entry in entries])
        return
    if not entries:
        note(f"nothing in the catalogue has '{word}'; `camfleet model search` lists all")
        return
    for entry in entries:
        facts = f"{entry.purpose}, {entry.size_bytes / 1e6:.1f} MB, {entry.licence}"
        out.print(f"[bold]{entry.name}[/]  {escape(facts)}")
        lines = wrap(entry.description, out.width - len(_INDENT))
        out.print(*(_INDENT + line for line in lines), sep="\n", markup=False)


_FIELDS = {"name", "purpose", "description", "licence", "aliases"}


def matching(catalog: Catalog, word: str) -> tuple[CatalogEntry, ...]:
    """Entries with the word in name, alias, purpose, description or framework."""
    wanted = word.casefold()
    return tuple(entry for entry in catalog.entries if wanted in _text_of(entry))


def _text_of(entry: CatalogEntry) -> str:
    framework = str(entry.manifest.get("framework_type", ""))
    parts = (entry.name, *entry.aliases, entry.purpose, entry.description, framework)
    return "\n".join(parts).casefold()


def _models(
    settings: FleetSettings,
    config: ServingConfig,
    states: dict[str, tuple[VersionState, ...]] | None,
) -> list[dict[str, Any]]:
    served = {model.name: model.base_path for model in config.models}
    folders = {path.name: path for path in settings.models_dir.glob("*") if path.is_dir()}
    on_volume = {name for name, path in folders.items() if versions_of(path)}
    told = {name for name, known in (states or {}).items() if any(map(_is_there, known))}
    names = sorted(on_volume | served.keys() | told)
    return [
        {
            "name": name,
            "versions": list(versions_of(served.get(name, settings.models_dir / name))),
            "served": name in served,
            "states": [state._asdict() for state in (states or {}).get(name, ())],
        }
        for name in names
    ]


def _is_there(version: VersionState) -> bool:
    """Whether the server has it; of what was removed it goes on telling the end."""
    return version.state != "END"


def _state_cell(states: Sequence[dict[str, Any]], *, answered: bool) -> str:
    if not states:
        return "-" if answered else "?"
    cells = []
    for state in states:
        colour = _COLOURS.get(state["state"], "red")
        cells.append(f"{state['version']} [{colour}]{state['state']}[/]")
    return "\n".join(cells)
