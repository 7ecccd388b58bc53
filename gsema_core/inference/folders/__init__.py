"""A folder of scans, one after the other, resumable and shared by processes."""
