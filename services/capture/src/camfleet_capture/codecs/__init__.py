"""What bytes of H.264, H.265 and JPEG say of themselves: units, parameter sets, sizes."""
