"""``slicer.app`` and what stands behind it, on the real MRML core."""
