"""What a compose file keeps to so that Docker Compose and balena read the same fleet from it.

Sources: balena's docs of docker-compose.yml fields (based on version 2.4), and what its parsers
refuse (npm @balena/compose 3.2.1, @balena/compose-parser 0.2.6).
"""

import re
from collections.abc import Iterator
from typing import Any

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
    "pids_limit",
    "ports",
    "privileged",
    "read_only",
    "restart",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "stop_signal",
    "tmpfs",
    "user",
    "volumes",
    "working_dir",
}
SECURITY_OPTIONS = {"no-new-privileges", "no-new-privileges:true"}
NETWORK_MODES = re.compile(r"host|bridge|none|service:[\w-]+")
# What a service needs of its device, and how it is updated; others hand out parts of the host.
LABELS = re.compile(r"io\.balena\.(features\.(requires\..+|optional)|update\..+)")


def violations(document: dict[str, Any]) -> list[str]:
    """Return one sentence per rule that a compose file breaks, as YAML gave it."""
    return [*_in_file(document), *_in_services(document)]


def _in_file(document: dict[str, Any]) -> Iterator[str]:
    if document.get("version") != "2.4":
        yield f'version is {document.get("version")!r}; balena wants "2.4"'
    for key in sorted(document.keys() - TOP_KEYS):
        yield f"{key}: balena does not know this section"
    for text in _texts(document):
        if "$" in text:
            yield f"{text}: balena does not substitute variables, so $ means two things"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _in_services(document: dict[str, Any]) -> Iterator[str]:
    volumes = set(document.get("volumes") or {})
    services = document.get("services") or {}
    for name, service in services.items():
        for fault in _in_service(service, volumes, set(services)):
            yield f"{name}: {fault}"


def _in_service(service: dict[str, Any], volumes: set[str], services: set[str]) -> Iterator[str]:
    yield from (f"{key} is not for both" for key in sorted(service.keys() - SERVICE_KEYS))
    yield from _in_build(service)
    yield from _in_volumes(service.get("volumes", []), volumes)
    yield from _in_dependencies(service.get("depends_on", []), services)
    yield from _in_rights(service)
    yield from _in_values(service)


def _in_build(service: dict[str, Any]) -> Iterator[str]:
    if not service.get("build") and not service.get("image"):
        yield "neither build nor image"
    build = service.get("build") or {}
    options = {"context": build} if isinstance(build, str) else build
    yield from (f"build.{key} is not for both" for key in sorted(options.keys() - BUILD_KEYS))
    context = options.get("context", ".")
    if context.startswith(("/", "..")) or "/../" in context:
        yield f"build.context {context}: must lie inside the repository"


def _in_volumes(used: list[Any], known: set[str]) -> Iterator[str]:
    for volume in used:
        if not isinstance(volume, str) or volume.split(":")[0] not in known:
            yield f"volume {volume}: only named volumes of this file, written as name:/folder"


def _in_dependencies(wanted: Any, services: set[str]) -> Iterator[str]:
    if not isinstance(wanted, list):
        yield "depends_on: balena knows the list only, without conditions"
        return
    yield from (f"depends_on {name}: no such service" for name in wanted if name not in services)


def _in_rights(service: dict[str, Any]) -> Iterator[str]:
    for option in service.get("security_opt", []):
        if option not in SECURITY_OPTIONS:
            yield f"security_opt {option}: balena takes no-new-privileges only"
    for label in service.get("labels", {}):
        if label.startswith("io.balena.") and not LABELS.fullmatch(label):
            yield f"label {label}: hands the host to the service"


def _in_values(service: dict[str, Any]) -> Iterator[str]:
    mode = service.get("network_mode", "bridge")
    if not NETWORK_MODES.fullmatch(mode):
        yield f"network_mode {mode}: balena knows host, bridge, none and service:NAME"
    if mode == "host" and service.get("ports"):
        yield "ports: without meaning in the network of the host"
    for name, value in service.get("environment", {}).items():
        if not isinstance(value, str):
            yield f"environment {name}: quote {value!r}, else YAML decides what it is"
