"""The RTSP server: requests, sessions, and packets over TCP and UDP."""
