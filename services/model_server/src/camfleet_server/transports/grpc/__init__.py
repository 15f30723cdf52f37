"""TensorFlow Serving and KServe v2 over gRPC, on the front of http2/."""
