"""The stock application: reads cameras, asks the model server, tracks, counts and publishes."""
