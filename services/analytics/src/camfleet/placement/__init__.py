"""Where models run: a server that is named, the default one, or a private one of this process."""
