"""Try a source before it is a camera, or a camera that is one: what comes, and a picture of it."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from camfleet.service.live.drawing import encode_jpeg
from camfleet.service.sources import address_of
from camfleet.video.look import DIRECT, NothingCame, look_at
from camfleet_contracts.cameras import Camera, source_kind
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.secret_references import Credentials, resolve_credentials, with_login
from camfleet_contracts.settings import FleetSettings, process_environment

TIMEOUT_S = 8.0
_WIDEST = 640


def try_camera(
    camera: Camera, told: Mapping[str, Any], settings: FleetSettings, keys: KeyStore
) -> dict[str, Any]:
    """Look at a camera as analytics reads it; `told` is its state in capture.

    Raises:
        NothingCame: there is no picture.
    """
    if not camera.enabled:
        raise NothingCame(f"camera '{camera.name}' is switched off; switch it on first")
    if told.get("state") not in {None, "LIVE"} and told.get("reason"):
        raise NothingCame(f"camera '{camera.name}' is {told['state']}: {told['reason']}")
    try:
        return _seen(address_of(camera, settings, keys)) | {"remark": told.get("reason")}
    except ValueError as error:
        raise NothingCame(f"camera '{camera.name}': {error}") from error


def login_behind(reference: str | None) -> Credentials | None:
    """User and password that a reference stands for. Raises NothingCame."""
    try:
        return resolve_credentials(reference, process_environment())
    except ValueError as error:
        raise NothingCame(str(error)) from error


def try_source(source: str, login: Credentials | None) -> dict[str, Any]:
    """Look at a source that is no camera yet. Raises NothingCame."""
    try:
        kind = source_kind(source)
        address = with_login(source, login) if login else source
    except ValueError as error:
        raise NothingCame(str(error)) from error
    if kind not in DIRECT or kind == "v4l2":
        reason = f"only capture opens a {kind} source: save the camera, its page then says more"
        raise NothingCame(reason)
    return _seen(address)


def _seen(address: str) -> dict[str, Any]:
    finding, picture = look_at(address, TIMEOUT_S)
    width = min(_WIDEST, picture.width)
    height = max(2, round(picture.height * width / picture.width))
    small = picture.to_ndarray(format="rgb24", width=width, height=height)
    jpeg = base64.b64encode(encode_jpeg(small.astype(np.uint8, copy=False))).decode()
    return asdict(finding) | {"picture": f"data:image/jpeg;base64,{jpeg}"}
