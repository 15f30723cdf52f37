"""All checks in order, as a table or JSON."""

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points

from rich.markup import escape

from camfleet.cli.checks import environment, fleet, folders, images, runtimes, sinks
from camfleet.cli.checks.finding import Finding
from camfleet.cli.console import out, print_json, table
from camfleet_contracts.settings import FleetSettings

PLUGINS = "camfleet.checks"
_MARKS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "bad": "[bold red]bad[/]"}


def run_checks(settings: FleetSettings, *, as_json: bool) -> bool:
    """Run all checks and print them; False when one of them is bad."""
    findings = tuple(all_findings(settings))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        shown = table("", "check", "finding")
        for finding in findings:
            shown.add_row(_MARKS[finding.verdict], escape(finding.check), escape(finding.text))
        out.print(shown)
    return all(finding.verdict != "bad" for finding in findings)


def all_findings(settings: FleetSettings) -> Iterator[Finding]:
    """What every check says."""
    yield from environment.check_python()
    yield from environment.check_packages()
    yield from environment.check_opencv()
    yield from runtimes.check_runtimes()
    yield from environment.check_video()
    yield from fleet.check_devices()
    yield from fleet.check_ports(settings)
    yield from folders.check_folders(settings)
    yield from images.check_images()
    yield from fleet.check_volume(settings)
    yield from fleet.check_cameras(settings)
    yield from fleet.check_server(settings)
    yield from sinks.check_sinks(settings)
    for plugin in entry_points(group=PLUGINS):  # of other packages, e.g. the workbench
        check: Callable[[FleetSettings], Iterator[Finding]] = plugin.load()
        yield from check(settings)
