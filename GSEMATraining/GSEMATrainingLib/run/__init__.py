"""A run: its folder is prepared (Preparation), its process started (TrainingProcess), its files
read (RunFolder) every second (RunWatch)."""
