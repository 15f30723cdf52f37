"""Applications: a folder with camfleet.app.json (or alwaysai.app.json), a script and its models."""
