"""Where pictures come from, one module a kind of source; table.py chooses by the text."""
