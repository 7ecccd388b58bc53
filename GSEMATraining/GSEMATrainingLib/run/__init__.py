"""A run: prepared, started, watched."""
