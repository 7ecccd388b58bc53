"""Click to segment: from a point in a view to a segment, and back by undo."""
