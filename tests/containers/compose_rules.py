"""What a compose file keeps to so that Docker Compose and balena read the same fleet from it."""

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML

TOP_KEYS = {"version", "volumes", "services"}
BUILD_KEYS = {"context", "dockerfile", "args", "target"}
# Documented by balena for version 2.4 and known to every Docker Compose. Others are refused by one
# of the two, dropped silently, or mean something else.
SERVICE_KEYS = {
    "build",
    "cap_add",
    "cap_drop",
    "command",
    "depends_on",
    "devices",
    "entrypoint",
    "environment",
    "group_add",
    "healthcheck",
    "image",
    "labels",
    "mem_limit",
    "mem_reservation",
    "network_mode",
    "privileged",
    "read_only",
    "restart",
    "shm_size",
    "stop_grace_period",
    "stop_signal",
    "tmpfs",
    "user",
    "volumes",
    "working_dir",
}


def violations(text: str) -> list[str]:
    """Return one sentence per rule that the compose file breaks."""
    document = YAML(typ="safe").load(text)
    return [*_in_file(text, document), *_in_services(document)]


def _in_file(text: str, document: dict[str, Any]) -> Iterator[str]:
    if document.get("version") != "2.4":
        yield f'version is {document.get("version")!r}; balena wants "2.4"'
    for key in sorted(document.keys() - TOP_KEYS):
        yield f"{key}: balena does not know this section"
    for number, line in enumerate(text.splitlines(), start=1):
        if re.search(r"\$(?!\$)[{A-Za-z_]", line.split("#")[0]):
            yield f"line {number}: balena does not substitute variables"


def _in_services(document: dict[str, Any]) -> Iterator[str]:
    volumes = set(document.get("volumes") or {})
    for name, service in (document.get("services") or {}).items():
        for fault in _in_service(service, volumes):
            yield f"{name}: {fault}"


def _in_service(service: dict[str, Any], volumes: set[str]) -> Iterator[str]:
    yield from (f"{key} is not for both" for key in sorted(service.keys() - SERVICE_KEYS))
    yield from _in_build(service.get("build", {}))
    for volume in service.get("volumes", []):
        if not isinstance(volume, str) or volume.split(":")[0] not in volumes:
            yield f"volume {volume}: only named volumes of this file, written as name:/folder"
    if not isinstance(service.get("depends_on", []), list):
        yield "depends_on: balena knows the list only, without conditions"


def _in_build(build: dict[str, str] | str) -> Iterator[str]:
    options = {"context": build} if isinstance(build, str) else build
    yield from (f"build.{key} is not for both" for key in sorted(options.keys() - BUILD_KEYS))
    context = options.get("context", ".")
    if context.startswith(("/", "..")) or "/../" in context:
        yield f"build.context {context}: must lie inside the repository"
