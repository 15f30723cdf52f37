"""What services find in an image, in edgeIQ's field names; docs/library.md lists the fields."""
