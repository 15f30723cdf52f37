"""The checks of `camfleet doctor`, a module for each subject."""
