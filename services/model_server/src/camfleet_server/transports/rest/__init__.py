"""TensorFlow Serving and KServe v2 over HTTP and JSON, health and metrics."""
