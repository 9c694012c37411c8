"""Open layers as samples of a dataset: images with the masks that lie over them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.labels import VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.masks.error_layer import is_agreement_layer
from napari_veinseg.widgets.masks.layer_metadata import image_of, only_shows_evaluation
from napari_veinseg.widgets.masks.layer_placement import require_same_place
from napari_veinseg.widgets.masks.layers import (
    image_data,
    image_shape,
    is_source_image,
    sample_stem,
)


@dataclass(frozen=True)
class Pair:
    """An image layer's pixels and the mask over it."""

    stems: tuple[str, ...]
    image: Any
    mask: npt.NDArray[np.uint8]

    def planes(self) -> Iterator[tuple[str, npt.NDArray[Any], npt.NDArray[np.uint8]]]:
        """Give the planes that show a vein."""
        stack = self.mask.ndim > 2
        for number, stem in enumerate(self.stems):
            mask = self.mask[number] if stack else self.mask
            if (mask == VEIN).any():
                yield stem, np.asarray(self.image[number] if stack else self.image), mask


def open_pairs(viewer: napari.Viewer) -> list[Pair]:
    """Pair every mask with its image."""
    images = [
        layer
        for layer in viewer.layers
        if isinstance(layer, Image) and is_source_image(layer) and layer.ndim in (2, 3)
    ]
    masks: dict[Image, Labels] = {}
    for layer in viewer.layers:
        if isinstance(layer, Labels) and _is_truth(layer):
            image = image_of(layer)
            fitting = [each for each in images if image_shape(each) == layer.data.shape]
            if image not in images:
                image = fitting[0] if len(fitting) == 1 else None
            if image in fitting:
                masks[image] = layer
    return [_pair(image, mask) for image, mask in masks.items()]


def _is_truth(layer: Labels) -> bool:
    is_mask = not layer.multiscale and not is_agreement_layer(layer)
    return is_mask and not only_shows_evaluation(layer)


def _pair(image: Image, layer: Labels) -> Pair:
    require_same_place(layer, image)
    mask = np.array(layer.data)
    if not np.isin(mask, (0, 1, 2)).all():
        raise VeinSegError(
            f"The layer '{layer.name}' holds labels other than 1 (vein) and 2 (unsure): it is no "
            "vein mask; hide it from the training by removing it."
        )
    planes = [(number,) for number in range(len(mask))] if mask.ndim > 2 else [()]
    stems = tuple(sample_stem(image, plane) for plane in planes)
    pixels = image_data(image)
    return Pair(stems, pixels, mask.astype(np.uint8))


def add_pairs(dataset: Dataset, pairs: list[Pair]) -> int:
    """Put pairs into a dataset; a sample that shows the same image gets the new mask."""
    count = 0
    for pair in pairs:
        for stem, image, mask in pair.planes():
            name = _free_name(dataset, stem, image)
            dataset.add(
                name,
                image,
                mask,
                reviewed=True,
                source="open layers",
                replace=True,
                same_image=True,
            )
            count += 1
    return count


def _free_name(dataset: Dataset, stem: str, image: npt.NDArray[Any]) -> str:
    """Put a number behind a name that another image has already."""
    name, number = stem, 2
    while name in dataset and not np.array_equal(dataset[name].image(), image):
        name, number = f"{stem} ({number})", number + 1
    return name
