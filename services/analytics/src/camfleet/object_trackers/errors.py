"""What can go wrong with tracking.

CamfleetError
└── CallbackFailed   enter_cb or exit_cb raised; no track is lost by it
"""

from typing import Any

from camfleet.errors import CamfleetError


class CallbackFailed(CamfleetError):
    """A callback raised while a tracker was updated; its error is the cause of this one.

    The update was done in whole: `results` is what update() would have returned.
    """

    def __init__(self, which: str, callback: Any, object_id: int) -> None:
        name = getattr(callback, "__qualname__", None) or repr(callback)
        super().__init__(
            f"{which} {name} failed for object {object_id}; the tracker has taken the frame and"
            " goes on"
        )
        self.object_id = object_id
        self.results: Any = None
