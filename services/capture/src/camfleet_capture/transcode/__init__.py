"""H.264 for readers that cannot take the copy, made by a process while somebody reads."""
