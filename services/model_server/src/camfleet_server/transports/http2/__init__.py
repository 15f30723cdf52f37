"""HTTP/2 (RFC 9113) as a gRPC server needs it: connections, frames, windows, who reads."""
