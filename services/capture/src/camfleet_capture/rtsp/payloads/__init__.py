"""RTP payloads, one module a codec: how an access unit is cut into packets."""
