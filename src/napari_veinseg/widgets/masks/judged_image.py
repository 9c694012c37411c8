"""An image on the screen with its truth and what was drawn wrong on it: comes and goes as one."""

from collections.abc import Callable, Iterator
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.sample import Pair
from napari_veinseg.evaluation.error_map import agreement
from napari_veinseg.widgets.common.turns import Turns
from napari_veinseg.widgets.masks.error_layer import add_agreement_layer
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.masks.showing import LayersLeave, fit_view, set_visible


class JudgedImage:
    """The layers of one image, in place of those of the last; each comes in a turn of its own."""

    def __init__(self, viewer: napari.Viewer, parent: QObject) -> None:
        self._viewer, self._leaving = viewer, LayersLeave(viewer)
        self._turns = Turns("Opening the image", parent)
        self._layers: list[Any] = []
        self._masks: list[Labels] = []
        self.stem = ""

    def show(self, pair: Pair, add_more: Callable[[], Iterator[None]]) -> None:
        """Put an image and, hidden, its truth into the viewer, and then what `add_more` adds."""
        self.close()
        self.stem, self._truth, self._layers, self._masks = pair.sample.stem, pair.mask, [], []
        self._turns.begin(self._show(pair, add_more))

    def _show(self, pair: Pair, add_more: Callable[[], Iterator[None]]) -> Iterator[None]:
        image = self._viewer.add_image(
            pair.image,
            name=self.stem,
            rgb=is_colour(pair.image.shape),
            metadata={"files": [f"{self.stem}.tif"]},
            visible=False,
        )
        self._layers.append(image)
        yield
        self.add_mask(pair.mask, "truth")
        yield
        set_visible(image, True)
        fit_view(self._viewer)
        yield
        yield from add_more()

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

    def close(self) -> bool:
        """Take the layers out of the viewer, unless somebody has painted on a mask.

        Says whether any went.
        """
        self._turns.stop()
        if any(edited_pixels(layer).any() for layer in self._masks):
            return False
        going = [layer for layer in self._layers if layer in self._viewer.layers]
        self._leaving.leave(going)
        self._layers, self._masks = [], []
        return bool(going)
