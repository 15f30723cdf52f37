"""Images of the fleet on this machine, where Docker is: whether its processor runs them."""

import json
import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from camfleet.cli.checks.finding import Finding

_LIMIT_S = 10
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_TITLE = "org.opencontainers.image.title"


def check_images() -> Iterator[Finding]:
    """Look at every image whose title says that it is camfleet's; nothing without Docker."""
    machine = _MACHINES.get(platform.machine(), platform.machine())
    yield from image_findings(_inspected(), machine)


def image_findings(images: Iterable[Mapping[str, Any]], machine: str) -> Iterator[Finding]:
    """One an image, from what `docker image inspect` tells of it."""
    for image in images:
        title = (image["Config"].get("Labels") or {})[_TITLE]
        name, made_for = (image["RepoTags"] or [image["Id"]])[0], image["Architecture"]
        if made_for == machine:
            yield Finding(title, "ok", f"image {name} for {made_for}")
            continue
        text = f"image {name} is for {made_for}, this machine is {machine}: exec format error"
        yield Finding(title, "bad", f"{text}; build it here, or pull it for {machine}")


def _inspected() -> list[dict[str, Any]]:
    listed = _docker("images", "--quiet", "--no-trunc", "--filter", f"label={_TITLE}")
    ids = sorted(set(listed.split()))
    if not ids:
        return []
    images: list[dict[str, Any]] = json.loads(_docker("image", "inspect", *ids) or "[]")
    named = ((image["Config"].get("Labels") or {}).get(_TITLE, "") for image in images)
    return [image for image, title in zip(images, named, strict=True) if title[:9] == "camfleet "]


def _docker(*arguments: str) -> str:
    try:
        asked = subprocess.run(
            ("docker", *arguments), capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):  # not here, or it does not answer
        return ""
    return asked.stdout if asked.returncode == 0 else ""
