"""Actions on the whole mask: clean up, move, leave open, and lines."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Shapes
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from qtpy.QtWidgets import QCheckBox, QSpinBox

from napari_veinseg.correction import cleanup
from napari_veinseg.correction.change import Change
from napari_veinseg.correction.growing import redrawn_as_measured
from napari_veinseg.correction.lines import Line, lines_from_veins, veins_from_lines
from napari_veinseg.correction.shift import best_shift, shifted
from napari_veinseg.correction.unsure import rest_unsure
from napari_veinseg.data.grey import to_grey
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.vein_width import estimate_vein_width
from napari_veinseg.widgets.form import Section, button
from napari_veinseg.widgets.layers import spatial_attributes
from napari_veinseg.widgets.notify import reported
from napari_veinseg.widgets.target import Plane, Target

_OWN_LINES = "veinseg lines"
_LOOKED_AT = 3.0  # vein widths around an edit


class MaskActions(Section):
    """Buttons that change the displayed slice, or all slices, in one undo step.

    Parameters
    ----------
    target : Target
        What is corrected.
    """

    def __init__(self, target: Target) -> None:
        super().__init__("Whole mask")
        self._target = target
        self.size = QSpinBox()
        self.size.setRange(1, 100_000)
        self.size.setValue(30)
        self.size.setSuffix(" px")
        self.all_slices = QCheckBox("On all slices of the stack")
        self.add_row(
            "Small is below", self.size, "The area in pixels below which a piece is small."
        )
        self._add(
            ("Drop small pieces", "Remove pieces of vein that are small.", self._drop),
            ("Fill small holes", "Fill holes in veins that are small.", self._fill),
        )
        self._add(
            ("Smooth", "Smooth the borders; thin veins stay connected.", cleanup.smooth),
            ("Thinner", "Narrow the veins by a pixel on each side.", cleanup.thin),
            ("Thicker", "Widen the veins by a pixel on each side.", cleanup.thicken),
        )
        self._add(
            (
                "Redraw as measured",
                "Draw all veins anew, in the middle and in the width that the image shows.",
                self._redraw,
            ),
        )
        self.add_wide(self.all_slices, "Let the buttons of this section act on every slice.")
        self._add(
            (
                "Move onto veins",
                "Shift the whole mask, by at most 16 px, to where it lies on the dark veins.",
                self._move,
            ),
            (
                "Rest is unsure",
                "Make unsure what you have not looked at: all that is farther than three vein "
                "widths from your own edits.",
                self._leave_open,
            ),
        )
        to_lines = button(
            "Veins to lines",
            "Put the middles of the veins into a Shapes layer, where they can be edited.",
        )
        to_veins = button(
            "Lines to veins",
            "Draw the lines of the chosen Shapes layer as veins: lines that came from the mask "
            "replace its veins, others are added with the width set above.",
        )
        to_lines.clicked.connect(self._veins_to_lines)
        to_veins.clicked.connect(self._lines_to_veins)
        self.add_buttons(to_lines, to_veins)
        self.line_width: Callable[[], float | None] = lambda: None

    def show_state(self) -> None:
        """Offer 'all slices' for stacks only."""
        mask = self._target.mask
        self.all_slices.setVisible(mask is not None and mask.data.ndim > 2)

    def _add(self, *actions: tuple[str, str, Callable[..., Change]]) -> None:
        buttons = []
        for text, tooltip, action in actions:
            made = button(text, tooltip)
            made.clicked.connect(partial(self._act, text, action))
            buttons.append(made)
        self.add_buttons(*buttons)

    def _is_on_all(self) -> bool:
        return self.all_slices.isVisible() and self.all_slices.isChecked()

    def _act(self, doing: str, action: Callable[..., Change], _checked: bool = False) -> None:
        with reported(doing):
            target = self._target
            planes = target.planes(self._is_on_all())
            wants_plane = getattr(action, "__self__", None) is self
            changes = {
                plane: action(target.labels(plane), *([plane] if wants_plane else []))
                for plane in planes
            }
            if not target.write(changes):
                show_info(f"{doing}: there was nothing to change.")
            elif self._is_on_all():
                changed = sum(len(change) > 0 for change in changes.values())
                show_info(f"{doing}: {changed} of {len(planes)} slices were changed.")

    def _drop(self, mask: NDArray[Any], _plane: Plane) -> Change:
        return cleanup.drop_specks(mask, self.size.value())

    def _fill(self, mask: NDArray[Any], _plane: Plane) -> Change:
        return cleanup.fill_holes(mask, self.size.value())

    def _move(self, mask: NDArray[Any], plane: Plane) -> Change:
        grey = to_grey(self._target.pixels(plane), invert=self._target.invert)
        down, right = best_shift(grey, mask, estimate_vein_width(grey))
        if not self._is_on_all():
            show_info(f"The mask was moved by {down} px down and {right} px to the right.")
        return shifted(mask, down, right)

    def _redraw(self, mask: NDArray[Any], plane: Plane) -> Change:
        grey = to_grey(self._target.pixels(plane), invert=self._target.invert)
        return redrawn_as_measured(mask, grey, estimate_vein_width(grey))

    def _leave_open(self, mask: NDArray[Any], plane: Plane) -> Change:
        reach = _LOOKED_AT * self._target.typical_width()
        return rest_unsure(mask, self._target.edited(plane), reach)

    def _veins_to_lines(self) -> None:
        with reported("Veins to lines"):
            layer, plane = self._target.layer(), self._target.plane()
            lines = lines_from_veins(self._target.labels(plane))
            if not lines:
                raise VeinSegError(f"The mask '{layer.name}' has no veins here: draw some first.")
            shapes = Shapes(
                name=f"{layer.name} lines",
                ndim=layer.ndim,
                metadata={_OWN_LINES: True},
                **spatial_attributes(layer),
            )
            shapes.add_paths(
                [_in_stack(line.points, plane) for line in lines],
                edge_width=[line.width for line in lines],
                edge_color="#35d0ff",
            )
            shapes.opacity = 0.7
            self._target.viewer.add_layer(shapes)
            shapes.mode = "direct"

    def _lines_to_veins(self) -> None:
        with reported("Lines to veins"):
            layer, plane = self._target.layer(), self._target.plane()
            shapes = self._shapes_layer()
            own = bool(shapes.metadata.get(_OWN_LINES))
            width = self.line_width() or self._target.typical_width()
            lines = [
                Line(_in_plane(shapes, points, layer), float(edge) if own else width)
                for points, kind, edge in zip(
                    shapes.data, shapes.shape_type, shapes.edge_width, strict=True
                )
                if kind in ("line", "path", "polyline") and _is_in(shapes, points, layer, plane)
            ]
            if not lines:
                raise VeinSegError(
                    f"The layer '{shapes.name}' has no lines on this slice: draw lines or paths."
                )
            self._target.write({plane: veins_from_lines(self._target.labels(plane), lines, own)})
            self._target.viewer.layers.selection.active = layer

    def _shapes_layer(self) -> Shapes:
        viewer = self._target.viewer
        for layer in (viewer.layers.selection.active, *reversed(viewer.layers)):
            if isinstance(layer, Shapes):
                return layer
        raise VeinSegError("There is no Shapes layer: add one and draw lines on the veins.")


def _in_stack(points: NDArray[np.float64], plane: Plane) -> NDArray[np.float64]:
    return np.concatenate([np.tile(plane, (len(points), 1)), points], axis=1)


def _positions(shapes: Shapes, points: NDArray[Any], layer: Labels) -> NDArray[np.float64]:
    """Turn positions in a Shapes layer into positions in the mask."""
    return np.array([layer.world_to_data(shapes.data_to_world(point)) for point in points])


def _in_plane(shapes: Shapes, points: NDArray[Any], layer: Labels) -> NDArray[np.float64]:
    return _positions(shapes, points, layer)[:, -2:]


def _is_in(shapes: Shapes, points: NDArray[Any], layer: Labels, plane: Plane) -> bool:
    if shapes.ndim == 2 or not plane:  # lines without a slice belong to all of them
        return True
    slices = _positions(shapes, points, layer)[:, 0]
    return bool((np.rint(slices) == plane[0]).all())
