"""The three values that a mask may hold."""

BACKGROUND = 0
VEIN = 1
UNSURE = 2
"""Nobody can decide: ignored by the loss, by the metrics and by the measurements."""

LABEL_COLOURS = {BACKGROUND: "transparent", VEIN: "#1de9b6", UNSURE: "#ffc233", None: "white"}
"""How napari shows them; None stands for any other value.

Veins stand out from grey and from the purple of colour sensors in near-infrared light, from the red
of what a click removes, and from unsure also where red and green look alike."""
