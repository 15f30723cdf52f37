"""Pictures with what was found drawn into them, and what applications do with pictures."""
