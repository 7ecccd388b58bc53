"""The sections of the panel: each shows and asks, the logic works."""
