"""`camfleet doctor --capacity`: how many cameras this box carries, from what is measured on it."""
