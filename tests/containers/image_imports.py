"""The program that imports every module of a service, inside its image."""

import json

OWN_PACKAGES = {
    "capture": ("camfleet_contracts", "camfleet_capture"),
    "model-server": ("camfleet_contracts", "camfleet_server"),
    "analytics": ("camfleet_contracts", "camfleet"),
    "workbench": ("camfleet_contracts", "camfleet", "camfleet_workbench"),
}
# Missed by the models that want them only, and by applications under test.
NOT_HERE = {"tensorrt", "cuda", "hailo_platform", "pytest"}
IMPORT_ALL = """
import importlib, json, pkgutil, platform, sys
sys.modules.update(dict.fromkeys(WITHOUT))  # an import of these fails
found, wrong = 0, {}
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if module.name.endswith("__main__"):
            continue
        found += 1
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            wrong[module.name] = error.name or str(error)
print(json.dumps({"found": found, "wrong": wrong, "machine": platform.machine()}))
"""
IN_IMAGE = (
    "run",
    "--rm",
    "--init",  # a crash of process 1 would be no end
    "--read-only",
    "--tmpfs",
    "/tmp",  # noqa: S108 - in the container
    "--cap-drop",
    "ALL",
    "--network",
    "none",
)


def arguments(service: str, image: str, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What follows `docker` to import everything of a service in its image, but `without`."""
    program = ("--entrypoint", "python", image, "-c", f"WITHOUT = {without!r}\n{IMPORT_ALL}")
    return (*IN_IMAGE, *program, *OWN_PACKAGES[service])


def check(output: str, machine: str | None = None, without: tuple[str, ...] = ()) -> None:
    """All was found and nothing that belongs here is missing, on this kind of machine."""
    told = json.loads(output.splitlines()[-1])
    assert told["found"] > 20
    assert set(told["wrong"].values()) <= NOT_HERE | set(without), told["wrong"]
    assert machine in {None, told["machine"]}
