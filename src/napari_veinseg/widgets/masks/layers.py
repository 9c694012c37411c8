"""Mask layers: made over an image in the same place, and watched for the user's edits."""

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_veinseg.data.array_types import ProbabilityStack
from napari_veinseg.data.labels import LABEL_COLOURS, UNSURE, VEIN
from napari_veinseg.data.samples_csv import stem_from
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.masks.layer_metadata import (
    Derived,
    derived_metadata,
    has_probability,
    image_of,
    is_derived,
    record_of,
)

images_of_folders = weakref.WeakSet[Image]()
"""Images of open folders, which save the mask in work of each: nobody else needs to."""

_OVER = "veinseg over"  # in the metadata of a probability layer: the image that it is of
_PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
_SOLID = ("opaque", "translucent", "translucent_no_depth")  # blendings that hide what is below


def spatial_attributes(layer: Layer) -> dict[str, Any]:
    """Return what puts another layer of the same shape exactly where this one is."""
    return {name: getattr(layer, name) for name in _PLACE}


def plane_attributes(layer: Layer, axes: list[int]) -> dict[str, Any]:
    """Return what puts a 2-D layer where two axes of this one are."""
    grid = np.ix_(axes, axes)
    shear = np.asarray(layer.shear)
    if shear.ndim == 1:  # its numbers above the diagonal
        matrix = np.eye(layer.ndim)
        matrix[np.triu_indices(layer.ndim, 1)] = shear
        shear = matrix
    return {
        "scale": layer.scale[axes],
        "translate": layer.translate[axes],
        "rotate": np.asarray(layer.rotate)[grid],
        "shear": shear[grid],
        "affine": layer.affine.set_slice(axes),
        "units": [layer.units[axis] for axis in axes],
        "axis_labels": [layer.axis_labels[axis] for axis in axes],
    }


def in_stack(points: npt.ArrayLike, plane: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Turn (row, column) of a plane into positions in the whole layer."""
    places = np.asarray(points, np.float64)
    return np.hstack([np.tile(np.asarray(plane, np.float64), (len(places), 1)), places])


def sample_stem(image: Image, plane: tuple[int, ...] = ()) -> str:
    """Return the name that an image has in a dataset."""
    files = image.metadata.get("files")
    files = files if isinstance(files, list | tuple) else []  # other readers may mean another thing
    if plane and len(files) > plane[0] and len(files) == image.data.shape[0]:
        return stem_from(Path(files[plane[0]]).stem)
    path = files[0] if len(files) == 1 else image.source.path
    stem = stem_from(Path(path).stem if path else image.name)
    return f"{stem}_{plane[0]:04}" if plane else stem


def mask_stem(mask: Labels) -> str:
    """Return what files and tables call a mask: its image's name in a dataset, or its own."""
    image = image_of(mask)
    return mask.name if image is None else sample_stem(image)


def image_data(layer: Image) -> Any:
    """Return the pixels of an image layer; of a multiscale one its largest scale."""
    return layer.data[0] if layer.multiscale else layer.data


def image_shape(layer: Image) -> tuple[int, ...]:
    """Return the shape that a mask of an image layer has."""
    data = image_data(layer)
    shape = tuple(int(size) for size in (data.shape[:-1] if layer.rgb else data.shape))
    if len(shape) not in (2, 3):
        raise VeinSegError(
            f"The layer '{layer.name}' has {len(shape)} dimensions, but an image has 2 and a "
            "stack 3: crop or split the layer first."
        )
    return shape


def mask_pixels(layer: Labels) -> npt.NDArray[np.uint8]:
    """Copy a mask, so that painting may go on while it is worked on; 255 is vein, as in a file."""
    if layer.multiscale:
        raise VeinSegError(f"The layer '{layer.name}' has several scales: convert it to one first.")
    values = np.asarray(layer.data)
    if np.isin(values, (0, VEIN, UNSURE)).all():
        return np.array(values, np.uint8)
    if np.isin(values, (0, 255)).all():
        return (values > 0).astype(np.uint8)
    raise VeinSegError(
        f"The layer '{layer.name}' holds labels other than 1 (vein) and 2 (unsure): it is no vein "
        "mask; choose another one, or remove it from the viewer."
    )


def as_image_or_stack(viewer: napari.Viewer, layer: Image) -> Image:
    """Return the layer, or of more dimensions the shown slice as a layer of its own."""
    data = image_data(layer)
    shape = data.shape[:-1] if layer.rgb else data.shape
    grey_axis = len(shape) == 3 and shape[-1] in (1, 2) and not layer.rgb
    if len(shape) in (2, 3) and not grey_axis:
        return layer
    if grey_axis:
        pixels, axes, name = data[..., 0], [0, 1], f"{layer.name} grey"
    else:
        plane = displayed_plane(viewer, layer)
        pixels, axes = data[plane], [layer.ndim - 2, layer.ndim - 1]
        name = f"{layer.name} {list(plane)}"
    for other in viewer.layers:
        if isinstance(other, Image) and other.name == name and other.data.shape == pixels.shape:
            return other
    return viewer.add_image(pixels, name=name, rgb=layer.rgb, **plane_attributes(layer, axes))


def add_mask_layer(
    viewer: napari.Viewer,
    mask: npt.NDArray[Any],
    image: Image,
    *,
    name: str | None = None,
    probability: ProbabilityStack | None = None,
) -> Labels:
    """Add an editable mask over an image, in the same place and with named colours."""
    layer = Labels(
        np.array(mask, dtype=np.min_scalar_type(int(np.max(mask, initial=0)))),
        name=name or f"{image.name} veins",
        opacity=0.7,
        colormap=DirectLabelColormap(color_dict=LABEL_COLOURS),
        # napari shows the row of the label under the cursor in its status bar.
        features={"index": [0, VEIN, UNSURE], "name": ["background", "vein", "unsure"]},
        **spatial_attributes(image),
    )
    build_tools_when_used(layer)
    layer.selected_label = VEIN
    layer.brush_size = 5
    record = record_of(layer)
    record.image, record.probability = weakref.ref(image), probability
    layers = viewer.layers
    place = layers.index(image) + 1 if image in layers else len(layers)
    while place < len(layers) and _belongs_to(layers[place], image):
        place += 1
    layers.insert(place, layer)
    return layer


def insert_inactive(viewer: napari.Viewer, place: int, layer: Layer) -> None:
    """Insert a layer and leave the active one active: a tool at work on it goes on."""
    layers = viewer.layers
    layers._activate_on_insert = False  # private to napari, which has no public way
    try:
        layers.insert(place, layer)
    finally:
        layers._activate_on_insert = True


def build_tools_when_used(layer: Labels) -> None:
    """Have napari build what shows a polygon or a stroke when a mask is first drawn on.

    Built and drawn with each new mask, they take longer than the mask itself: 0.1 s the first time.
    """
    # Private to napari: without them a mask takes longer, and is no worse.
    known = (layer._overlays.get(name) for name in ("polygon", "brush_stroke"))
    shown_while_drawing = [overlay for overlay in known if overlay is not None]
    for overlay in shown_while_drawing:
        overlay.visible = False

    def build(_event: object) -> None:
        for overlay in shown_while_drawing:
            overlay.visible = True

    layer.events.mode.connect(build)


def _belongs_to(layer: Layer, image: Image) -> bool:
    """Tell whether a layer above an image is one of its masks or was derived from it."""
    return image_of(layer) is image or not is_source_image(layer)


def add_probability_layer(
    viewer: napari.Viewer, probability: ProbabilityStack, image: Image
) -> Image:
    """Add a vein probability over its image."""
    layer = Image(
        probability,
        name=f"{image.name} probability",
        colormap="magma",
        contrast_limits=(0, 1),
        opacity=0.6,
        metadata=derived_metadata(Derived.PROBABILITY) | {_OVER: weakref.ref(image)},
        **spatial_attributes(image),
    )
    viewer.layers.insert(viewer.layers.index(image) + 1, layer)
    return layer


def probability_over(viewer: napari.Viewer, image: Image | None) -> Any:
    """Return what the topmost probability layer of an image shows; None where there is none."""
    for layer in reversed(viewer.layers):
        if is_derived(layer, Derived.PROBABILITY) and layer.metadata[_OVER]() is image is not None:
            return layer.data
    return None


def is_source_image(layer: Layer) -> bool:
    """Tell whether an image layer is one of the user's, not one that the plugin derived."""
    return not any(is_derived(layer, kind) for kind in Derived)


def topmost_image(viewer: napari.Viewer) -> Image | None:
    """Return the image of the user's that lies over all others that are visible."""
    for layer in reversed(viewer.layers):
        if isinstance(layer, Image) and layer.visible and is_source_image(layer):
            return layer
    return None


def image_that_covers(viewer: napari.Viewer, mask: Labels) -> Image | None:
    """Return the image of the user's that lies over a mask and hides some of it; else None."""
    if viewer.canvas.grid.enabled:
        return None
    for layer in reversed(viewer.layers[viewer.layers.index(mask) + 1 :]):
        if isinstance(layer, Image) and is_source_image(layer) and _hides(layer, mask):
            return layer
    return None


def _hides(image: Image, mask: Labels) -> bool:
    solid = image.opacity == 1 and image.blending in _SOLID
    (top, bottom), (above, below) = (each.extent.world[:, -2:] for each in (image, mask))
    return image.visible and solid and bool((top < below).all() and (above < bottom).all())


def masks_of(viewer: napari.Viewer, image: Image | None) -> Iterator[Labels]:
    """List the masks that were made on an image, the topmost first."""
    for layer in reversed(viewer.layers):
        if isinstance(layer, Labels) and image is not None and image_of(layer) is image:
            yield layer


def mask_in_work(viewer: napari.Viewer, image: Image | None) -> Labels | None:
    """Find the topmost mask of an image that no evaluation has opened."""
    return next((each for each in masks_of(viewer, image) if not record_of(each).evaluated), None)


def is_kept(viewer: napari.Viewer, layer: Labels) -> bool:
    """Tell whether an open folder saves a mask: it has one for an image, that in work."""
    image = image_of(layer)
    return image in images_of_folders and mask_in_work(viewer, image) is layer


def adjustable_mask(viewer: napari.Viewer, image: Image) -> Labels | None:
    """Find the mask of an image whose threshold can be changed: the active one before others."""
    masks = [each for each in masks_of(viewer, image) if has_probability(each)]
    active = viewer.layers.selection.active
    return active if active in masks else next(iter(masks), None)


def displayed_plane(viewer: napari.Viewer, layer: Layer) -> tuple[int, ...]:
    """Return the index of the plane of a layer that the viewer shows."""
    dims = viewer.dims
    # Y and X may stand in either order: a transposed view shows the same plane.
    if dims.ndisplay != 2 or set(dims.displayed) != {dims.ndim - 2, dims.ndim - 1}:
        raise VeinSegError("Show the stack in 2D with its slices along the slider to do this.")
    if layer.ndim == 2:
        return ()
    position = np.round(layer.world_to_data(dims.point)[-layer.ndim : -2]).astype(int)
    plane = tuple(position.tolist())
    if not all(0 <= at < count for at, count in zip(plane, layer.data.shape, strict=False)):
        raise VeinSegError(f"Move the slider to a slice of the layer '{layer.name}'.")
    return plane
