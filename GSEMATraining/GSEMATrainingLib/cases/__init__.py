"""The labelled scans of a training: from the scene or files, to the copies that are trained on."""
