"""The tool that removes the branch of a vein."""

import math
from typing import Any

from napari_veinseg.correction.branches import REACH, remove_branch
from napari_veinseg.correction.change import Change
from napari_veinseg.data.array_types import Point
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.widgets.correct.hover_tool import HoverTool

_NOTHING = "There is no vein under the cursor."
_REMOVED = "Removed; undo (Ctrl-Z) brings it back."


class RemoveTool(HoverTool):
    """Click on a wrong vein; the branch that is shown goes."""

    name = "Remove a branch"
    key = "D"
    help = "Click on a wrong vein: what is shown goes, up to the next bifurcation or end."

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._removed_at: Point | None = None  # until the cursor has left the place

    def preview_click(self, point: Point) -> None:
        """Show what a click removes."""
        change = self._find(point)
        if self._preview is not None:
            self._preview.show_pixels(change.rows, change.columns)
        if len(change) or not self._has_removed_at(point):
            self._removed_at = None
            self._show_message(self.help if len(change) else _NOTHING)

    def click(self, point: Point, straight: bool) -> None:  # noqa: ARG002
        """Remove the branch."""
        self.drop()
        removed = self.edited_mask.write({self._plane: self._find(point)})
        self._removed_at = point if removed else None
        self._show_message(_REMOVED if removed else _NOTHING)

    def _has_removed_at(self, point: Point) -> bool:
        there = self._removed_at
        return there is not None and math.dist(there, point) <= self.reach_on_screen(REACH)

    def _find(self, point: Point) -> Change:
        label = BACKGROUND if self.label == VEIN else self.label
        reach = self.reach_on_screen(REACH)
        return remove_branch(self.edited_mask.labels(self._plane), point, label, reach)
