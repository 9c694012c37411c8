"""The three values that a mask may hold."""

BACKGROUND = 0
VEIN = 1
UNSURE = 2
"""Nobody can decide: ignored by the loss, by the metrics and by the measurements."""
