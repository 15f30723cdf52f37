"""From config.json and the volume to what is loaded: probe, load, swap, drain."""
