"""Volumes out of the scene, segments into it."""
