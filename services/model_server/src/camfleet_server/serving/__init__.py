"""One request: which version, is it valid, whose turn, infer. It knows no protocol."""
