"""What changed in config.json, and the way back."""

from camfleet.cli.console import note, out, print_json, table
from camfleet.cli.errors import CommandError
from camfleet_contracts.serving_config import Change, NoSuchChange, changes_of, roll_back
from camfleet_contracts.settings import FleetSettings


def print_changes(settings: FleetSettings, *, as_json: bool) -> None:
    """The changes the history knows, newest first."""
    changes = changes_of(settings.models_dir / "config.json")
    if as_json:
        print_json([change.facts() for change in changes])
        return
    if not changes:
        note("config.json has no history yet; commands that change it make one")
        return
    shown = table("change", "when", "what")
    for change in changes:
        when = change.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        shown.add_row(str(change.number), when, _told(change))
    out.print(shown)


def roll_config_back(settings: FleetSettings, number: int | None) -> None:
    """Write the text from before a change back.

    Raises:
        CommandError: the history has no such change.
    """
    try:
        taken_back = roll_back(settings.models_dir / "config.json", number)
    except NoSuchChange as error:
        raise CommandError(f"{error}; `camfleet model log` lists them") from error
    if taken_back is None:
        note("config.json has that text already; nothing was changed")
        return
    note(
        f"config.json is as it was before change {taken_back.number} ({_told(taken_back)}); "
        "`camfleet model list` shows what the server makes of it"
    )


def _told(change: Change) -> str:
    if not change.is_readable:
        return "from or to a text that is not a configuration"
    if change.is_empty:
        return "the text's form only"
    parts = {
        "added": change.added,
        "removed": change.removed,
        "changed": change.changed,
        "set": change.settings,
    }
    return ", ".join(f"{verb} {' '.join(names)}" for verb, names in parts.items() if names)
