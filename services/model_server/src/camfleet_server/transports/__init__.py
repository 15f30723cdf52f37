"""Protocols: each decodes, makes one call of the DataPlane, encodes. codes.py maps errors."""
