"""A layer that shows where two masks differ, and what its colours mean."""

from typing import Any

import napari
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from napari_veinseg.data.array_types import MaskStack
from napari_veinseg.evaluation.error_map import COLOURS, NAMES
from napari_veinseg.widgets.masks.layer_metadata import Derived, derived_metadata, is_derived
from napari_veinseg.widgets.masks.layers import build_tools_when_used, spatial_attributes

_COLUMNS = 2  # of the legend


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


class ErrorLegend(QWidget):
    """A coloured square and its meaning for all that a mask can be right or wrong in."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        for number, kind in enumerate(NAMES):
            square = QFrame()
            square.setFixedSize(12, 12)
            square.setStyleSheet(f"background: {COLOURS[kind]}; border: 1px solid gray;")
            row, column = divmod(number, _COLUMNS)
            grid.addWidget(square, row, 2 * column)
            grid.addWidget(QLabel(NAMES[kind]), row, 2 * column + 1)
        grid.setColumnStretch(2 * _COLUMNS, 1)
        self.setAccessibleName("Colours of the errors")
        self.setAccessibleDescription(", ".join(NAMES.values()))
