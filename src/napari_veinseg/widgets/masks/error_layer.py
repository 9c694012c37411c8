"""A layer that shows where two masks differ."""

from typing import Any

import napari
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_veinseg.data.array_types import MaskStack
from napari_veinseg.evaluation.error_map import COLOURS, NAMES
from napari_veinseg.widgets.masks.layer_metadata import Derived, derived_metadata, is_derived
from napari_veinseg.widgets.masks.layers import build_tools_when_used, spatial_attributes


def add_agreement_layer(
    viewer: napari.Viewer, labels: MaskStack, mask: Labels, name: str
) -> Labels:
    """Add the layer that shows where a mask is right, wrong and incomplete."""
    for layer in [each for each in viewer.layers if is_agreement_layer(each)]:
        if layer.name == name:
            viewer.layers.remove(layer)
    colours: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    colours.update({int(kind): colour for kind, colour in COLOURS.items()})
    layer = Labels(
        labels,
        name=name,
        opacity=1,
        colormap=DirectLabelColormap(color_dict=colours),
        features={"index": [0, *NAMES], "name": ["background", *NAMES.values()]},
        metadata=derived_metadata(Derived.AGREEMENT),
        **spatial_attributes(mask),
    )
    layer.editable = False
    build_tools_when_used(layer)
    viewer.add_layer(layer)
    return layer


def is_agreement_layer(layer: Any) -> bool:
    """Tell whether a layer was made by `add_agreement_layer`."""
    return is_derived(layer, Derived.AGREEMENT)
