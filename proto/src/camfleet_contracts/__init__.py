"""Everything the camfleet services agree on: wire messages, files, addresses, keys."""
