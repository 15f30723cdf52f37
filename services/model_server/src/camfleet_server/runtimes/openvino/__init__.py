"""OpenVINO: what config.json asks for, the trial of open batches, pictures in the graph."""
