"""Events that survive: the journal numbers and keeps them, the hub sends them out."""
