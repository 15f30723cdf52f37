"""What applications publish: results and events, to the fleet or into a file."""
