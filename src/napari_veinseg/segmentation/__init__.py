"""From an image to a probability and a mask."""
