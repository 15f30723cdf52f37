"""GStreamer's RTSP server, which takes a pushed stream at /in.

Run by the system's python3 (it has the bindings): gst_recorder.py ENCODING PORT [DIGEST|BASIC
USER PASSWORD]. Prints its port, and a line for each picture it takes: its time in nanoseconds.
"""
# mypy: ignore-errors
# The bindings have no types and are not in the environment of the tests.

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

DEPAY = {"h264": "rtph264depay ! h264parse", "h265": "rtph265depay ! h265parse"}
DEPAY["mjpeg"] = "rtpjpegdepay"


def main() -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service(sys.argv[2])
    server.set_address("127.0.0.1")
    server.get_thread_pool().set_max_threads(4)  # its one thread would wait for itself
    factory = GstRtspServer.RTSPMediaFactory()
    depay = DEPAY[sys.argv[1]].replace("depay", "depay name=depay0", 1)
    factory.set_launch(f"( {depay} ! identity name=seen ! fakesink sync=false )")
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    factory.set_latency(200)
    factory.connect("media-configure", watch)
    if len(sys.argv) > 3:
        guard(server, factory, *sys.argv[3:])
    server.get_mount_points().add_factory("/in", factory)
    server.attach(None)
    say(server.get_bound_port())
    GLib.MainLoop().run()


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def watch(_factory: object, media: object) -> None:
    seen = media.get_element().get_by_name("seen")
    seen.set_property("signal-handoffs", True)
    seen.connect("handoff", lambda _, buffer: say(buffer.pts))


def guard(server: object, factory: object, method: str, user: str, password: str) -> None:
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(getattr(GstRtsp.RTSPAuthMethod, method))
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "pusher")
    auth.add_digest(user, password, token)
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("pusher", "media.factory.access", True)
    permissions.add_permission_for_role("pusher", "media.factory.construct", True)
    factory.set_permissions(permissions)


if __name__ == "__main__":
    main()
