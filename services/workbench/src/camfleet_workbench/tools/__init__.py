"""Tools that make one model file out of another: convert, repair, quantise."""
