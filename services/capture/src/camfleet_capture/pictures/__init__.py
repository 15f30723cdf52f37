"""What pictures look like: black, covered, frozen, damaged or clear."""
