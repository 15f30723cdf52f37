"""RTSP out: a small server of one H.264 stream, and publishing to another server."""
