"""Models from elsewhere onto the volume: catalogue, mirror, download, publishing, config.json."""
