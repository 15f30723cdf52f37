"""Requests that change something: who may send them, what is answered, and that it is noted."""

import errno
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from camfleet.service.audit import AuditTrail
from camfleet.web.bodies import read_body
from camfleet.web.sockets import FOREIGN, comes_from_here
from camfleet_contracts.camera_entries import CameraExists, NoSuchCamera
from camfleet_contracts.cameras_edit import CamerasChanged
from camfleet_contracts.cameras_file import BadCameras
from camfleet_contracts.redaction import redact

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1 << 16

Handler = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """The request cannot be done; status and text are the answer."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


_STATUS: dict[type[Exception], HTTPStatus] = {
    NoSuchCamera: HTTPStatus.NOT_FOUND,
    CameraExists: HTTPStatus.CONFLICT,
    CamerasChanged: HTTPStatus.PRECONDITION_FAILED,
    BadCameras: HTTPStatus.BAD_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Changes:
    """Guards handlers of one kind of change after the other."""

    audit: AuditTrail

    def only_admins(self, action: str, answer: Handler) -> Handler:
        """Let only admins in, note what they did, and give what is refused its status and text.

        A handler says in `request.state.subject` what it is about, where the path does not.
        """

        async def guarded(request: Request) -> Response:
            refusal = _refusal_of(request, action)
            response = refusal or await _answered(request, answer)
            self._note(request, action, response)
            return response

        return guarded

    def _note(self, request: Request, action: str, response: Response) -> None:
        key = request.scope.get("camfleet_key")
        who = (key.name, key.role) if key else ("nobody", "none")
        path = request.path_params.get("name", "")
        subject = str(getattr(request.state, "subject", path))
        reason = None
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            reason = json.loads(bytes(response.body))["error"]
        self.audit.note(who, (action, subject), response.status_code, reason)


def _refusal_of(request: Request, action: str) -> Response | None:
    key = request.scope.get("camfleet_key")
    if key is None or key.role != "admin":
        return JSONResponse({"error": f"only a key of role admin may {action}"}, 403)
    if not comes_from_here(request):  # a browser that shows another site's page
        return JSONResponse({"error": FOREIGN}, 403)
    return None


async def _answered(request: Request, answer: Handler) -> Response:
    try:
        return await answer(request)
    except Refused as error:
        return JSONResponse({"error": str(error)}, error.status)
    except BadCameras as error:
        return JSONResponse(_told(error), _STATUS[type(error)])
    except (NoSuchCamera, CameraExists) as error:
        return JSONResponse({"error": redact(str(error))}, _STATUS[type(error)])
    except OSError as error:
        logger.warning("nothing was changed path=%s reason=%s", request.url.path, error)
        return JSONResponse({"error": f"cameras.yaml: {error.strerror}"}, _status_of(error))


def _told(error: BadCameras) -> dict[str, object]:
    """The fault as a whole, and by field where it is one camera's."""
    told: dict[str, object] = {"error": redact(str(error))}
    if error.fields:
        told |= {"camera": error.camera}
        told |= {"fields": {field: redact(words) for field, words in error.fields.items()}}
    return told


def _status_of(error: OSError) -> HTTPStatus:
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return HTTPStatus.INSUFFICIENT_STORAGE if is_full else HTTPStatus.INTERNAL_SERVER_ERROR


async def read_object(request: Request, what: str) -> Mapping[str, Any]:
    """The JSON object of a request's body.

    Raises:
        Refused: it is too large, of another type, or not one object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind not in {"application/json", "application/merge-patch+json"}:
        reason = f"send {what} as JSON, with content-type application/json"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
    body = await read_body(request, MAX_BODY_BYTES)
    if body is None:
        reason = f"{what} takes at most {MAX_BODY_BYTES} bytes"
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"not readable as JSON: {error}") from error
    if not isinstance(entry, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, f"send one object with {what}")
    return entry
