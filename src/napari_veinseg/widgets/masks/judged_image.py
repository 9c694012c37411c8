"""An image on the screen with its truth and what was drawn wrong on it: comes and goes as one."""

from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.sample import Pair
from napari_veinseg.evaluation.error_map import agreement
from napari_veinseg.widgets.masks.error_layer import add_agreement_layer
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer


class JudgedImage:
    """The layers of one image, in place of those of the last."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._layers: list[Any] = []
        self._masks: list[Labels] = []
        self.stem = ""

    def show(self, pair: Pair) -> None:
        """Put an image and, hidden, its truth into the viewer."""
        self.close()
        stem, pixels = pair.sample.stem, pair.image
        image = self._viewer.add_image(
            pixels, name=stem, rgb=is_colour(pixels.shape), metadata={"files": [f"{stem}.tif"]}
        )
        self.stem, self._truth, self._layers, self._masks = stem, pair.mask, [image], []
        self.add_mask(pair.mask, "truth")
        self._viewer.reset_view()

    def add_mask(self, mask: NDArray[np.uint8], name: str) -> None:
        """Add a mask, hidden, which no tab takes for one to work on."""
        layer = add_mask_layer(self._viewer, mask, self._layers[0], name=f"{self.stem} {name}")
        layer.visible, record_of(layer).evaluated = False, True
        self._layers.append(layer)
        self._masks.append(layer)

    def add_errors(self, mask: NDArray[np.uint8], name: str) -> Labels:
        """Add the layer that shows where a mask is unlike the truth."""
        layer = add_agreement_layer(
            self._viewer, agreement(mask, self._truth), self._masks[0], f"{self.stem} {name}"
        )
        self._layers.append(layer)
        return layer

    def close(self) -> None:
        """Take the layers out of the viewer, unless somebody has painted on a mask."""
        if any(edited_pixels(layer).any() for layer in self._masks):
            return
        for layer in self._layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers, self._masks = [], []
