"""Actions on the whole mask: clean up, move, redraw and leave open."""

from collections.abc import Callable
from functools import partial
from typing import Any

from numpy.typing import NDArray
from qtpy.QtWidgets import QCheckBox, QSpinBox

from napari_veinseg.correction import cleanup
from napari_veinseg.correction.change import Change
from napari_veinseg.correction.mark_unsure import rest_unsure
from napari_veinseg.correction.mask_alignment import best_shift, shifted
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.widgets.common.form import Section
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex
from napari_veinseg.widgets.correct.mask_work import Action, MaskWork
from napari_veinseg.widgets.correct.tracing_cache import find_vein_width
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels

_LOOKED_AT = 3.0  # vein widths around an edit


class MaskActions(Section):
    """Buttons that change the displayed slice, or all slices, in one undo step."""

    def __init__(self, edited_mask: EditedMask, work: MaskWork) -> None:
        super().__init__("")
        self._mask = edited_mask
        self.small_size = QSpinBox(minimum=1, maximum=100_000, value=30, suffix=" px")
        self.all_slices = QCheckBox("Whole-mask buttons change all slices")
        work.acts_on_all = self.all_slices.isChecked
        make = work.make_button
        shape = partial(make, shapes_veins=True)
        self.redraw = shape(
            "Redraw as measured",
            "Draw all veins of the mask anew, in the middle and in the width that the image shows.",
            self._prepare_redraw,
        )
        self.add_row(
            "Small is below", self.small_size, "The area in pixels below which a piece is small."
        )
        self.add_buttons(
            make("Drop small pieces", "Remove pieces of vein that are small.", self._prepare_drop),
            make("Fill small holes", "Fill holes in veins that are small.", self._prepare_fill),
        )
        self.add_buttons(
            shape("Smooth", "Smooth the borders; no thin vein breaks.", _each(cleanup.smooth)),
            shape("Thinner", "Narrow the veins by a pixel on each side.", _each(cleanup.thin)),
            shape("Thicker", "Widen the veins by a pixel on each side.", _each(cleanup.thicken)),
        )
        self.add_buttons(
            shape(
                "Move onto veins",
                "Shift the whole mask, by at most 16 px, to where it lies on the dark veins.",
                self._prepare_move,
            ),
            make(
                "Rest is unsure",
                "Make unsure what you have not looked at: all that is farther than three vein "
                "widths from your own edits.",
                self._prepare_rest_unsure,
            ),
        )

    def show_state(self) -> None:
        """Offer 'all slices' for stacks only."""
        layer = self._mask.layer
        is_stack = layer is not None and layer.data.ndim > 2
        self.all_slices.setVisible(is_stack)
        if not is_stack:
            self.all_slices.setChecked(False)

    def _prepare_drop(self) -> Action:
        size = self.small_size.value()
        return lambda labels, _plane: cleanup.drop_specks(labels, size)

    def _prepare_fill(self) -> Action:
        size = self.small_size.value()
        return lambda labels, _plane: cleanup.fill_holes(labels, size)

    def _prepare_move(self) -> Action:
        read = self._mask.grey_reader()

        def move(labels: NDArray[Any], plane: PlaneIndex) -> Change:
            grey = read(plane)
            return shifted(labels, *best_shift(grey, labels, estimate_vein_width(grey)))

        return move

    def _prepare_redraw(self) -> Action:
        read = self._mask.grey_reader()

        def redraw(labels: NDArray[Any], plane: PlaneIndex) -> Change:
            grey = read(plane)
            return cleanup.redrawn_as_measured(labels, grey, find_vein_width(grey, labels))

        return redraw

    def _prepare_rest_unsure(self) -> Action:
        read = self._mask.grey_reader()
        edited = edited_pixels(self._mask.require_layer()).copy()

        def leave_open(labels: NDArray[Any], plane: PlaneIndex) -> Change:
            # Of this very plane: the reach decides which labels are written.
            reach = _LOOKED_AT * find_vein_width(read(plane), labels)
            return rest_unsure(labels, edited[plane], reach)

        return leave_open


def _each(change: Callable[[NDArray[Any]], Change]) -> Callable[[], Action]:
    return lambda: lambda labels, _plane: change(labels)
