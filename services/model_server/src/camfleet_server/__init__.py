"""The model server: transports decode requests, serving answers them, reload follows files."""
