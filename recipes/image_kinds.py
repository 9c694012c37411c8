"""What the synthetic images of the starter's recipe show, and in what shares."""

from dataclasses import replace

from image_pool import Kind
from plain_images import PlainSettings
from scenes import SceneSettings

from napari_veinseg.data.synthesis import SynthesisSettings

# Wider than the defaults where a network went wrong: it took broad shadows for veins, drew dark
# veins too wide, marked something on fingers that show no vein, and lost the finest vessels.  The
# noise is wider too, for one real sensor has more than the defaults.
_FINGERS = replace(SynthesisSettings(), shadow=(0.0, 1.2), contrast=(0.07, 1.4), noise=(0.25, 14.0))
_FAINT = replace(_FINGERS, contrast=(0.07, 0.3))  # as on two of three real sensors
_BOLD = replace(_FINGERS, tree_share=0.0, vein_radius=(0.05, 0.11), trunks=(3, 6), height=(80, 160))
_FINE_TREES = replace(
    _FINGERS,
    tree_share=1.0,
    height=(160, 320),
    aspect=(1.0, 1.4),
    vein_radius=(0.012, 0.04),
    scatter=(0.1, 0.6),
    contrast=(0.1, 1.0),
    noise=(0.25, 6.0),  # in more of it they drown
    drawn_core=1.0,  # whoever draws the finest vessels draws all that is dark
)
_PLAIN_SHARE_OF_TREES = 0.3  # the plain teacher never saw the finest vessels
VISIBLE = (
    Kind(40, _FINGERS),
    Kind(30, _FAINT),
    Kind(5, replace(_FINGERS, tree_share=0.0, trunks=(0, 0)), plain_share=0.0),
    Kind(10, _BOLD),
    Kind(15, _FINE_TREES, plain_share=_PLAIN_SHARE_OF_TREES),
)
"""The package's images: their truth holds what can be seen."""
PLAIN = (Kind(88, PlainSettings()), Kind(12, PlainSettings(trunks=(0, 0), branches=(0, 0))))
"""Plain images: their truth holds every vein."""
TREES = (Kind(100, _FINE_TREES, plain_share=_PLAIN_SHARE_OF_TREES),)
"""Fine trees, as of a fundus: without more of them scenes make the student forget them."""
SCENES = (Kind(100, SceneSettings(), plain_share=None),)
"""Whole scenes: outlines and lamps, which are not veins."""
