"""Names, types and shapes out of model files, read without a runtime."""
