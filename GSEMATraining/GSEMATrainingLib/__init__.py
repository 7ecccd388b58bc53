"""What only the training module needs."""
