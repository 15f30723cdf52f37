"""The whole fleet as local processes: what `camfleet up` starts, watches and ends."""
