"""The Python layer that Slicer adds to its core: scripted modules, parameter nodes, translation."""
