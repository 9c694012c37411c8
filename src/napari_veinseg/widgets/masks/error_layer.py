"""Two mask layers held against each other: figures, and a layer that shows where they differ."""

from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_veinseg.data.array_types import MaskStack
from napari_veinseg.data.labels import UNSURE
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.error_map import COLOURS, NAMES
from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.widgets.masks.layer_metadata import Derived, derived_metadata, is_derived
from napari_veinseg.widgets.masks.layers import build_tools_when_used, spatial_attributes


def mean_of_slices(prediction: MaskStack, truth: MaskStack, tolerance: float) -> dict[str, float]:
    """Score a mask; of a stack, average the scores of the slices of which something is known."""
    if prediction.shape != truth.shape:
        raise VeinSegError(
            f"The mask is {prediction.shape} and the truth {truth.shape}: choose layers of the "
            "same image."
        )
    planes = zip(
        prediction.reshape(-1, *truth.shape[-2:]), truth.reshape(-1, *truth.shape[-2:]), strict=True
    )
    scored = [
        mask_metrics(one, other, tolerance) for one, other in planes if (other != UNSURE).any()
    ]
    if not scored:
        raise VeinSegError("The truth says unsure everywhere: choose another.")
    return {name: float(np.mean([each[name] for each in scored])) for name in scored[0]}


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
