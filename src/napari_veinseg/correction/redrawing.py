"""All veins of a mask drawn anew, in the middle and in the width that the image shows."""

import numpy as np

from napari_veinseg.correction.change import Change, between
from napari_veinseg.correction.lines import centreline_to_border, vein_region
from napari_veinseg.correction.vein_profile import centred, widths_along
from napari_veinseg.data.array_types import Grey, Mask, Px
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.measurement.skeleton import trace


def redrawn_as_measured(mask: Mask, grey: Grey, vein_width: Px) -> Change:
    """Draw all veins of a mask anew, in the middle and in the width that the image shows.

    A vein that leaves the image still does; label 2 stays.
    """
    is_vein = np.asarray(mask) == VEIN
    drawn = np.zeros(is_vein.shape, np.bool_)
    for branch in trace(centreline_to_border(is_vein)).branches:
        path = centred(grey, branch.path.astype(np.float64), vein_width)
        drawn |= vein_region(drawn.shape, path, widths_along(grey, path, vein_width))
    decided = is_vein | (np.asarray(mask) == BACKGROUND)
    return between(mask, np.where(decided, drawn, mask))
