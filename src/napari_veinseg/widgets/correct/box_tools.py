"""The tools that drag boxes: what nobody can decide, and what has been reviewed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.correction.mark_unsure import all_but_boxes_unsure, unsure_box
from napari_veinseg.data.array_types import Point
from napari_veinseg.widgets.correct.tool import Tool


class UnsureBoxTool(Tool):
    """Drag a rectangle; everything in it becomes unsure."""

    name = "Unsure box"
    key = "U"
    help = "Drag a rectangle over what nobody can decide: training and scores leave it out."
    draws_boxes = True

    def drag(self, start: Point, end: Point, released: bool) -> None:
        """Show the rectangle, and write it when the button is released."""
        corners = np.array([start, end])
        if not released:
            if self._preview is not None:
                self._preview.show_boxes([corners])
            return
        self.drop()
        labels = self.edited_mask.labels(self._plane)
        self.edited_mask.write({self._plane: unsure_box(labels, corners)})


class ReviewedBoxTool(Tool):
    """Drag rectangles over what has been reviewed; all the rest becomes unsure."""

    name = "Reviewed box"
    key = "I"
    help = (
        "Drag one or more rectangles over what you have checked; Enter makes all the rest unsure, "
        "Backspace takes a rectangle back."
    )
    draws_boxes = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._boxes: list[NDArray[np.float64]] = []

    @property
    def busy(self) -> bool:
        """Whether there is a rectangle."""
        return bool(self._boxes)

    def drag(self, start: Point, end: Point, released: bool) -> None:
        """Add a rectangle."""
        boxes = [*self._boxes, np.array([start, end])]
        if self._preview is not None:
            self._preview.show_boxes(boxes)
        if released:
            self._boxes = boxes
            self._show_message("Enter makes all the rest unsure; or drag another rectangle.")

    def finish(self) -> None:
        """Make the rest unsure."""
        if self._boxes:
            labels = self.edited_mask.labels(self._plane)
            self.edited_mask.write({self._plane: all_but_boxes_unsure(labels, self._boxes)})
        self.drop()

    def take_back(self) -> None:
        """Take the last rectangle back."""
        del self._boxes[-1:]
        if self._preview is not None:
            self._preview.show_boxes(self._boxes)

    def drop(self) -> None:
        """Forget the rectangles."""
        self._boxes = []
        self._show_message(self.help)
        super().drop()
