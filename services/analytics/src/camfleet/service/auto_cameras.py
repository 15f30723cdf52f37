"""An entry `source: auto` stands for every camera that is plugged in; capture knows them."""

from collections.abc import Iterable, Mapping

from camfleet_contracts.cameras import Camera

PluggedIn = Mapping[str, tuple[str, ...]]  # entries of cameras.yaml: the names of their cameras


def expanded(cameras: Iterable[Camera], plugged_in: PluggedIn) -> dict[str, Camera]:
    """Return the enabled cameras by name: one for each device of an `auto` entry.

    An entry whose devices nobody knows (yet) is a camera itself, whose state says so.
    """
    wanted = {}
    for camera in cameras:
        names = plugged_in.get(camera.name, ()) if camera.source == "auto" else ()
        for name in names or (camera.name,):
            if camera.enabled:
                wanted[name] = camera.model_copy(update={"name": name})
    return wanted
