"""The command line: options, settings, and the tools beside serving."""
