"""USB cameras, by ioctl: devices, their modes, and the buffers of one that streams."""
