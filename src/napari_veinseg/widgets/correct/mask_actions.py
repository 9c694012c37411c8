"""Actions on the whole mask: clean up, move, leave open, and lines."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Shapes
from napari.utils.notifications import show_info
from numpy.typing import NDArray
from qtpy.QtWidgets import QCheckBox, QPushButton, QSpinBox

from napari_veinseg.correction import cleanup
from napari_veinseg.correction.change import Change
from napari_veinseg.correction.growing import redrawn_as_measured
from napari_veinseg.correction.lines import Line, lines_from_veins, veins_from_lines
from napari_veinseg.correction.shift import best_shift, shifted
from napari_veinseg.correction.unsure import rest_unsure
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.tiling.vein_width import estimate_vein_width
from napari_veinseg.widgets.common.form import Section, button
from napari_veinseg.widgets.common.jobs import Job, Reporter, Step
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.correct.target import Plane, Target
from napari_veinseg.widgets.masks.layers import spatial_attributes
from napari_veinseg.widgets.masks.records import edited_pixels

_OWN_LINES = "veinseg lines"
_LOOKED_AT = 3.0  # vein widths around an edit

# Changes a slice, in any thread: all that it needs of the viewer was taken when it was made.
Action = Callable[[NDArray[Any], Plane], Change]


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
        self.job = Job("Changing the mask", self)
        self.job.changed.connect(self._show_work)
        self._buttons: list[QPushButton] = []
        self._pressed = ""
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
            ("Smooth", "Smooth the borders; thin veins stay connected.", _each(cleanup.smooth)),
            ("Thinner", "Narrow the veins by a pixel on each side.", _each(cleanup.thin)),
            ("Thicker", "Widen the veins by a pixel on each side.", _each(cleanup.thicken)),
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
        self._buttons += [to_lines, to_veins]
        self.line_width: Callable[[], float | None] = lambda: None

    def show_state(self) -> None:
        """Offer 'all slices' for stacks only."""
        mask = self._target.mask
        self.all_slices.setVisible(mask is not None and mask.data.ndim > 2)

    def _add(self, *actions: tuple[str, str, Callable[[], Action]]) -> None:
        buttons = []
        for text, tooltip, prepare in actions:
            made = button(text, tooltip)
            made.clicked.connect(partial(self._act, text, prepare))
            buttons.append(made)
        self.add_buttons(*buttons)
        self._buttons += buttons

    def _is_on_all(self) -> bool:
        return self.all_slices.isVisible() and self.all_slices.isChecked()

    def _act(self, doing: str, prepare: Callable[[], Action], _checked: bool = False) -> None:
        if self._cancelled():
            return
        with reported(doing):
            target = self._target
            action, layer = prepare(), target.layer()
            shape = layer.data.shape
            before = {
                plane: target.labels(plane).copy() for plane in target.planes(self._is_on_all())
            }

            def work(reporter: Reporter) -> dict[Plane, Change]:
                changes = {}
                for number, (plane, mask) in enumerate(before.items()):
                    reporter.tell(Step(number, len(before), doing))
                    changes[plane] = action(mask, plane)
                reporter.tell(Step(len(before), len(before), doing))  # it may be cancelled by now
                return changes

            def done(changes: dict[Plane, Change]) -> None:
                changed = [plane for plane, change in changes.items() if len(change)]
                same = target.mask is layer and layer.data.shape == shape
                if not same or any(
                    not np.array_equal(before[plane], target.labels(plane)) for plane in changed
                ):
                    raise VeinSegError(
                        f"The mask was changed in the meantime: press '{doing}' once more."
                    )
                target.write(changes)
                if not changed:
                    show_info(f"{doing}: there was nothing to change.")
                elif len(before) > 1:
                    show_info(f"{doing}: {len(changed)} of {len(before)} slices were changed.")

            self._pressed = doing
            self.job.do(sum(mask.size for mask in before.values()), work, done)

    def _cancelled(self) -> bool:
        """Cancel what is running: only the button that began it can be pressed then."""
        running = self.job.running
        self.job.cancel()
        return running

    def _show_work(self) -> None:
        """Let the button that was pressed cancel, and no other begin."""
        running = self.job.running
        for made in self._buttons:
            if made.text() in (self._pressed, "Cancel"):
                made.setText("Cancel" if running else self._pressed)
            else:
                made.setEnabled(not running)

    def _drop(self) -> Action:
        size = self.size.value()
        return lambda mask, _plane: cleanup.drop_specks(mask, size)

    def _fill(self) -> Action:
        size = self.size.value()
        return lambda mask, _plane: cleanup.fill_holes(mask, size)

    def _move(self) -> Action:
        read = self._target.reader()

        def move(mask: NDArray[Any], plane: Plane) -> Change:
            grey = read(plane)
            return shifted(mask, *best_shift(grey, mask, estimate_vein_width(grey)))

        return move

    def _redraw(self) -> Action:
        read = self._target.reader()

        def redraw(mask: NDArray[Any], plane: Plane) -> Change:
            grey = read(plane)
            return redrawn_as_measured(mask, grey, estimate_vein_width(grey))

        return redraw

    def _leave_open(self) -> Action:
        edited = edited_pixels(self._target.layer()).copy()
        reach = _LOOKED_AT * self._target.typical_width()
        return lambda mask, plane: rest_unsure(mask, edited[plane], reach)

    def _veins_to_lines(self) -> None:
        if self._cancelled():
            return
        with reported("Veins to lines"):
            layer, plane = self._target.layer(), self._target.plane()
            mask = self._target.labels(plane).copy()

            def find(reporter: Reporter) -> list[Line]:
                lines = lines_from_veins(mask)
                reporter.tell(Step(1, 1))  # it may be cancelled by now
                return lines

            self._pressed = "Veins to lines"
            self.job.do(
                mask.size,
                find,
                lambda lines: self._show_lines(lines, layer, plane),
            )

    def _show_lines(self, lines: list[Line], layer: Labels, plane: Plane) -> None:
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


def _each(change: Callable[[NDArray[Any]], Change]) -> Callable[[], Action]:
    return lambda: lambda mask, _plane: change(mask)


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
