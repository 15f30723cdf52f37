"""Video in: the reader of one RTSP camera and the frames it hands out."""
