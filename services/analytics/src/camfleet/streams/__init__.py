"""Video streams: frames of a webcam, a network camera, a file or a Jetson's ribbon camera."""
