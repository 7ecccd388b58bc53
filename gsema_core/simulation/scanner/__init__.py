"""What scanners do to an image, and what bone lies in the beam."""
