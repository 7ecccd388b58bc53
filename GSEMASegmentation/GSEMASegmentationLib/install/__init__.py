"""What has to be installed, where it is, and how it gets there."""
