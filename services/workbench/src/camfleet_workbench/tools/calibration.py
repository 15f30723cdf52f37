"""Pictures to calibrate and compare with: a folder, a film, or a camera of the fleet."""

from av.video.frame import VideoFrame

from camfleet.cli.errors import CommandError
from camfleet_workbench.frames import NoPicture, grab_frames
from camfleet_workbench.plainly import CellError

_EACH_S = 0.5  # of a camera: pictures of the same moment teach nothing new


def pictures_of(source: str, count: int) -> list[VideoFrame]:
    """At most `count` pictures, spread over what there is.

    Raises:
        CommandError: there are none.
    """
    try:
        return grab_frames(source, count, every_s=_EACH_S)
    except NoPicture as error:
        raise CommandError(
            f"{source} is neither a file or folder nor a camera that capture shows now ({error}); "
            "`camfleet camera list` shows those there are"
        ) from error
    except CellError as error:
        raise CommandError(str(error)) from error
