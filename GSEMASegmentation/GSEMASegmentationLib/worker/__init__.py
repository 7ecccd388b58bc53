"""The worker process: its language, its life, and handing scans over."""
