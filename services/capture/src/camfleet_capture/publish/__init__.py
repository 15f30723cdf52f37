"""Pushing a stream to another RTSP server (`publish_to`)."""
