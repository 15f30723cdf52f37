"""What every HTTP side of this package shares: files of the page, login, sockets, panels."""
