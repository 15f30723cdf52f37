"""`camfleet app`: a script with its models, from a new folder to a container."""
