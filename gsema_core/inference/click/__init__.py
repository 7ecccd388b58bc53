"""From a click to the aneurysm under it."""
