"""Measurements of a segmentation as it is now: taken, shown as lines, and kept in a table."""
