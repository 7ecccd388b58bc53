"""The new teacher against the one it began as, and its way into the list."""
