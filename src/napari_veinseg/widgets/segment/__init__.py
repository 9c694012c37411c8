"""The Segment dock: a mask for the open image or a folder, and its sliders."""
