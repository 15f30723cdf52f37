"""Where events go besides the stream: one thread a sink, fed from the journal."""
