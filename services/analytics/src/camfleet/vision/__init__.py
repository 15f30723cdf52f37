"""Services that ask one model about images, in edgeIQ's names: docs/library.md."""
