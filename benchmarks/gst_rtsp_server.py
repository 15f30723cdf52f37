"""GStreamer's RTSP server showing films or an RTSP camera's H.264, the peer of `bench_capture.py`.

Run by the system's python3 (it has the bindings): gst_rtsp_server.py PATH=FILE|URL ... Prints its
port.
"""
# mypy: ignore-errors
# The bindings have no types and are not in the environment of the benchmarks.

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

_H264 = "h264parse ! rtph264pay config-interval=-1 pt=96 name=pay0"
_CAMERA = "rtspsrc location={} protocols=tcp latency=0 ! rtph264depay ! " + _H264
_FILMS = {
    "mp4": "filesrc location={} ! qtdemux ! " + _H264,
    "avi": "filesrc location={} ! avidemux ! jpegparse ! rtpjpegpay name=pay0",
}


def main() -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_service("0")
    server.set_address("127.0.0.1")
    server.get_thread_pool().set_max_threads(16)  # its one thread would wait for itself
    for mount in sys.argv[1:]:
        path, _, source = mount.partition("=")
        factory = GstRtspServer.RTSPMediaFactory()
        is_camera = source.startswith("rtsp://")
        pipeline = _CAMERA if is_camera else _FILMS[source.rpartition(".")[2]]
        factory.set_launch(f"( {pipeline.format(source)} )")
        factory.set_shared(True)
        server.get_mount_points().add_factory(f"/{path}", factory)
    server.attach(None)
    sys.stdout.write(f"listening rtsp=127.0.0.1:{server.get_bound_port()} http=none\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
