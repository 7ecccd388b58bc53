"""The label values of every label map in this project, and how they are shown."""

BACKGROUND = 0
VESSEL = 1
ANEURYSM = 2

CLASSES = 3
"""Number of classes that a network tells apart, background included."""

IGNORE = 255
"""A voxel that nobody labeled, in references only: it counts in no loss and in no score."""

NAMES = {VESSEL: "Vessel", ANEURYSM: "Aneurysm"}

COLORS = {VESSEL: (180 / 255, 20 / 255, 22 / 255), ANEURYSM: (255 / 255, 176 / 255, 0 / 255)}
"""RGB in [0, 1], everywhere the same; docs/explanation/architecture.md tells why these."""
