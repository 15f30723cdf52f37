"""Video out: files, and streams that others read."""
