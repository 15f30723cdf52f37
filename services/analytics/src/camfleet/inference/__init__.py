"""The way from a picture to decoded results, through a model server."""
