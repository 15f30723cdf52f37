"""Cameras as RTSP streams: each source is read once, in a thread, for any number of readers."""
