"""Cameras that a program of the system reads: Raspberry Pi and Jetson."""
