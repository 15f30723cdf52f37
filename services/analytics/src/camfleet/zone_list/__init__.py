"""Zones of zone_config.json, in edgeIQ's names.

`camfleet.zones` has those of the fleet's cameras.yaml, which remember who is inside.
"""
