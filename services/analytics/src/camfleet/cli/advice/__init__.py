"""`camfleet camera advise`: what each camera costs now, and what would save how much."""
