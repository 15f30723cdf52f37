"""What analytics serves over HTTP: event stream, state, login and page."""
