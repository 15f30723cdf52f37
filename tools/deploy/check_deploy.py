"""`make check-deploy`: all that can be known of Dockerfiles and compose files without an engine.

hadolint, our lint of balena's rules, `config` of Docker Compose, the schema of the Compose
Specification, and balena's own parser. What a machine lacks is named as skipped.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema  # comes with JupyterLab
from ruamel.yaml import YAML

from balena_tree import ROOT, targets, write_compose
from compose_merge import merged, read_compose
from compose_rules import violations

COMPOSE = ROOT / "docker-compose.yml"
SPECIFICATION = Path("/usr/lib/python3/dist-packages/compose/config/compose_spec.json")
PARSER = "@balena/compose@3.2.1"
PARSER_FOLDER = ROOT / "var" / "check-deploy"
# Variables that overlays insist on.
WANTED = {"GRAFANA_PASSWORD": "x", "MEDIAMTX_PASSWORD": "x"}


class Skipped(Exception):
    """This machine lacks something."""


def dockerfiles() -> list[Path]:
    """Return every Dockerfile of the repository."""
    return sorted([*ROOT.glob("services/*/Dockerfile*"), *ROOT.glob("compose/**/Dockerfile*")])


def overlays() -> list[Path]:
    """Return the overlays of docker-compose.yml, those for balena too."""
    files = sorted((ROOT / "compose").glob("*.yml")) + sorted((ROOT / "compose/balena").glob("*"))
    return [path for path in files if "services:" in path.read_text()]


def check_hadolint() -> Iterator[str]:
    """Dockerfiles by hadolint."""
    program = Path(sys.executable).parent / "hadolint"
    command = [str(program), "--failure-threshold", "warning", *map(str, dockerfiles())]
    yield from _output_if_failed(command)


def check_rules() -> Iterator[str]:
    """docker-compose.yml and what `make balena` makes of it, by the lint of balena's rules."""
    yield from violations(read_compose(COMPOSE))
    if not targets():
        yield "no overlay makes a file that balena takes"


def check_config() -> Iterator[str]:
    """docker-compose.yml alone and with each overlay, read by Docker Compose."""
    command = [*_compose_command(), "--project-directory", str(ROOT)]
    yield from _output_if_failed([*command, "-f", str(COMPOSE), "config", "--quiet"])
    for overlay in overlays():
        with readable_overlay(overlay) as files:
            yield from _output_if_failed([*command, *files, "config", "--quiet"])


@contextmanager
def readable_overlay(overlay: Path) -> Iterator[list[str]]:
    """Options that name docker-compose.yml and an overlay; Compose 1 gets both as one file.

    It does not know `!reset`.
    """
    if "!reset" not in overlay.read_text():
        yield ["-f", str(COMPOSE), "-f", str(overlay)]
        return
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        YAML().dump(merged(read_compose(COMPOSE), read_compose(overlay)), file)
        file.flush()
        yield ["-f", file.name]


def check_schema() -> Iterator[str]:
    """All compose files by the schema of the Compose Specification."""
    if not SPECIFICATION.is_file():
        raise Skipped(f"{SPECIFICATION} is not there (apt-get install docker-compose)")
    checker = jsonschema.Draft201909Validator(json.loads(SPECIFICATION.read_text()))
    for path in [COMPOSE, *overlays()]:  # each on top of the first
        document = merged(read_compose(COMPOSE), read_compose(path))
        for error in checker.iter_errors(document):
            yield f"{path.relative_to(ROOT)}: {error.json_path}: {error.message}"


def check_balena() -> Iterator[str]:
    """docker-compose.yml and the trees of `make balena`, by balena's own parser."""
    _install_parser()
    with tempfile.TemporaryDirectory() as folder:
        files = [str(COMPOSE)]
        for name in targets():
            path = Path(folder) / f"balena-{name}.yml"
            write_compose([name], path)
            files.append(str(path))
        script = ROOT / "tools/deploy/balena_parse.js"
        yield from _output_if_failed(["node", str(script), str(PARSER_FOLDER), *files])


def _install_parser() -> None:
    if not shutil.which("npm"):
        raise Skipped("npm is not here (apt-get install npm)")
    if (PARSER_FOLDER / "node_modules/@balena/compose").is_dir():
        return
    PARSER_FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
    done = _run([*command, "--prefix", str(PARSER_FOLDER), PARSER])
    if done.returncode:
        raise Skipped(f"npm cannot load {PARSER}: {done.stderr.strip().splitlines()[-1:]}")


def _compose_command() -> list[str]:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker") and not _run(["docker", "compose", "version"]).returncode:
        return ["docker", "compose"]
    raise Skipped("no Docker Compose is here (apt-get install docker-compose)")


def _output_if_failed(command: list[str]) -> Iterator[str]:
    done = _run(command)
    if done.returncode:
        yield f"{' '.join(command)}\n{done.stdout}{done.stderr}".strip()


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | WANTED  # noqa: TID251 - programs need PATH and HOME
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


CHECKS: dict[str, Callable[[], Iterator[str]]] = {
    "hadolint": check_hadolint,
    "balena's rules": check_rules,
    "compose config": check_config,
    "compose specification": check_schema,
    "balena's parser": check_balena,
}


def main() -> int:
    """Run all checks and print a line each; 1 when one found something."""
    has_failed = False
    for name, check in CHECKS.items():
        try:
            faults = list(check())
        except Skipped as reason:
            sys.stdout.write(f"skipped  {name}: {reason}\n")
            continue
        has_failed |= bool(faults)
        sys.stdout.write(f"{'FAILED ' if faults else 'ok     '}  {name}\n")
        sys.stdout.writelines(f"         {fault}\n" for fault in faults)
    return int(has_failed)


if __name__ == "__main__":
    sys.exit(main())
