"""The napari and Qt side: it shows and asks, the rooms below do the work."""
