"""Open layers as samples of a dataset: images with the masks that lie over them."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.labels import VEIN
from napari_veinseg.widgets.masks.error_layer import is_agreement_layer
from napari_veinseg.widgets.masks.layer_metadata import image_of, only_shows_evaluation
from napari_veinseg.widgets.masks.layer_placement import require_same_place
from napari_veinseg.widgets.masks.layers import (
    image_data,
    image_shape,
    is_source_image,
    mask_pixels,
    sample_stem,
)


class OpenPlane(NamedTuple):
    """A plane of an image layer, and of the mask over it."""

    stem: str
    image: Any
    mask: npt.NDArray[np.uint8]


def open_planes(viewer: napari.Viewer) -> list[OpenPlane]:
    """Pair every mask with its image, plane by plane."""
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
    return [plane for image, mask in masks.items() for plane in _planes(image, mask)]


def _is_truth(layer: Labels) -> bool:
    is_mask = not layer.multiscale and not is_agreement_layer(layer)
    return is_mask and not only_shows_evaluation(layer)


def _planes(image: Image, layer: Labels) -> Iterator[OpenPlane]:
    require_same_place(layer, image)
    pixels, mask = image_data(image), mask_pixels(layer)
    for plane in np.ndindex(mask.shape[:-2]):
        yield OpenPlane(sample_stem(image, plane), pixels[plane], mask[plane])


def add_planes(dataset: Dataset, planes: Iterable[OpenPlane]) -> int:
    """Put planes that show a vein into a dataset, in place of those of the same image."""
    with_veins = [plane for plane in planes if (plane.mask == VEIN).any()]
    for stem, pixels, mask in with_veins:
        image = np.asarray(pixels)
        dataset.add_reviewed(_free_name(dataset, stem, image), image, mask, "open layers")
    return len(with_veins)


def _free_name(dataset: Dataset, stem: str, image: npt.NDArray[Any]) -> str:
    """Put a number behind a name that another image has already."""
    name, number = stem, 2
    while name in dataset and not np.array_equal(dataset[name].image(), image):
        name, number = f"{stem} ({number})", number + 1
    return name
