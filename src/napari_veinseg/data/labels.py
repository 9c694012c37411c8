"""The three values that a mask may hold."""

BACKGROUND = 0
VEIN = 1
UNSURE = 2
"""Nobody can decide: ignored by the loss, by the metrics and by the measurements."""

LABEL_COLOURS = {BACKGROUND: "transparent", VEIN: "#ff4b7d", UNSURE: "#ffc233", None: "white"}
"""How napari shows them; None stands for any other value."""
