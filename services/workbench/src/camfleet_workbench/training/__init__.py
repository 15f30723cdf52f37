"""Training on a CPU without a framework: the last layer of a small detector, in NumPy."""
