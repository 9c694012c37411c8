"""Mask layers: made over an image in the same place, and watched for the user's edits."""

import weakref
from pathlib import Path
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_veinseg.data.labels import LABEL_COLOURS, UNSURE, VEIN
from napari_veinseg.data.samples_csv import stem_from
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.masks.records import has_probability, image_of, record_of

_PROBABILITY = "veinseg probability"


def spatial_attributes(layer: Layer) -> dict[str, Any]:
    """Return what puts another layer of the same shape exactly where this one is.

    Parameters
    ----------
    layer : Layer
        Usually an image; an RGB image's colour axis is not among its dimensions.

    Returns
    -------
    dict
        Keyword arguments for a new layer.
    """
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def sample_stem(image: Image, plane: tuple[int, ...] = ()) -> str:
    """Return the name that an image has in a dataset.

    Parameters
    ----------
    image : Image
        Its layer.
    plane : tuple of int
        Which slice of a stack; empty for `(Y, X)`.

    Returns
    -------
    str
        The stem of the image's own file where that is known, else of the stack's file or the
        layer's name, with the number of the slice.
    """
    files = image.metadata.get("files")
    files = files if isinstance(files, list | tuple) else []  # other readers may mean another thing
    if plane and len(files) > plane[0] and len(files) == image.data.shape[0]:
        return stem_from(Path(files[plane[0]]).stem)
    path = files[0] if len(files) == 1 else image.source.path
    stem = stem_from(Path(path).stem if path else image.name)
    return f"{stem}_{plane[0]:04}" if plane else stem


def image_shape(layer: Image) -> tuple[int, ...]:
    """Return the shape that a mask of an image layer has.

    Parameters
    ----------
    layer : Image
        Plain, RGB or multiscale (its first, largest scale counts).

    Returns
    -------
    tuple of int
        `(Y, X)` or `(N, Y, X)`.

    Raises
    ------
    VeinSegError
        For any other number of dimensions.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    shape = tuple(int(size) for size in (data.shape[:-1] if layer.rgb else data.shape))
    if len(shape) not in (2, 3):
        raise VeinSegError(
            f"The layer '{layer.name}' has {len(shape)} dimensions, but an image has 2 and a "
            "stack 3: crop or split the layer first."
        )
    return shape


def add_mask_layer(
    viewer: napari.Viewer,
    mask: npt.NDArray[Any],
    image: Image,
    *,
    name: str | None = None,
    probability: npt.NDArray[np.float32] | None = None,
) -> Labels:
    """Add an editable mask over an image, in the same place and with named colours.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layer is added.
    mask : ndarray
        0, 1 and 2, of the image's shape; made a NumPy array, `uint8` if they fit.
    image : Image
        The image that the mask belongs to.
    name : str or None
        The layer's name; by default the image's with 'veins' behind it.
    probability : ndarray or None
        What the mask was made from, for the sliders and for finding doubtful places.

    Returns
    -------
    Labels
        The new layer, with the vein label chosen for painting.
    """
    layer = Labels(
        np.array(mask, dtype=np.min_scalar_type(int(np.max(mask, initial=0)))),
        name=name or f"{image.name} veins",
        opacity=0.7,
        colormap=DirectLabelColormap(color_dict=LABEL_COLOURS),
        # napari shows the row of the label under the cursor in its status bar.
        features={"index": [0, VEIN, UNSURE], "name": ["background", "vein", "unsure"]},
        **spatial_attributes(image),
    )
    layer.selected_label = VEIN
    layer.brush_size = 5
    record = record_of(layer)
    record.image, record.probability = weakref.ref(image), probability
    viewer.add_layer(layer)
    return layer


def add_probability_layer(
    viewer: napari.Viewer, probability: npt.NDArray[np.float32], image: Image
) -> Image:
    """Add a vein probability over its image.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layer is added.
    probability : ndarray of float32
        In [0, 1], of the mask's shape.
    image : Image
        The image that it belongs to.

    Returns
    -------
    Image
        The new layer; it is not offered as an image to segment.
    """
    return viewer.add_image(
        probability,
        name=f"{image.name} probability",
        colormap="magma",
        contrast_limits=(0, 1),
        opacity=0.6,
        metadata={_PROBABILITY: True},
        **spatial_attributes(image),
    )


def is_probability_layer(layer: Layer) -> bool:
    """Tell whether a layer was made by `add_probability_layer`.

    Parameters
    ----------
    layer : Layer
        Any layer.

    Returns
    -------
    bool
        Whether it shows a probability.
    """
    return bool(layer.metadata.get(_PROBABILITY))


def mask_layer_of(viewer: napari.Viewer, image: Image) -> Labels | None:
    """Find the mask that was made from an image.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    image : Image
        One of its layers.

    Returns
    -------
    Labels or None
        The active layer if it is one, else the topmost.
    """
    active = viewer.layers.selection.active
    for layer in (active, *reversed(viewer.layers)):
        if isinstance(layer, Labels) and has_probability(layer) and image_of(layer) is image:
            return layer
    return None


def displayed_plane(viewer: napari.Viewer, layer: Layer) -> tuple[int, ...]:
    """Return the index of the plane of a layer that the viewer shows.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, showing two dimensions.
    layer : Layer
        An image or mask of 2 or 3 dimensions.

    Returns
    -------
    tuple of int
        Empty for `(Y, X)`, one number for `(N, Y, X)`: `data[plane]` is the shown `(Y, X)`.

    Raises
    ------
    VeinSegError
        When the viewer shows 3D, another plane than `(Y, X)`, or none of this layer.
    """
    dims = viewer.dims
    if dims.ndisplay != 2 or tuple(dims.displayed) != tuple(range(dims.ndim))[-2:]:
        raise VeinSegError("Show the stack in 2D with its slices along the slider to do this.")
    if layer.ndim == 2:
        return ()
    position = layer.world_to_data(dims.point)[-layer.ndim]
    plane, count = int(np.round(position)), layer.data.shape[0]
    if not 0 <= plane < count:
        raise VeinSegError(f"Move the slider to a slice of the layer '{layer.name}'.")
    return (plane,)
