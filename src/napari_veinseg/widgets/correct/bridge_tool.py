"""The tool that closes a gap in a vein."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.correction.branches import nearest_end
from napari_veinseg.data.array_types import Point, Points
from napari_veinseg.widgets.correct.trace_tool import TraceTool

_NO_END = "There is no vein near the cursor: go near the end of one."


class BridgeTool(TraceTool):
    """Click two ends; the gap between them is closed along the vein."""

    name = "Bridge a gap"
    key = "G"
    help = "Click near the two ends of a gap: they are joined along the vein. Esc drops it."

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._end_widths: list[float] = []

    def click(self, point: Point, straight: bool) -> None:
        """Take the first end, then join it to the second."""
        if self._find_end(point) is None:
            self._show_message(_NO_END)
            return
        super().click(point, straight)
        if len(self._clicks) == 2:
            self.finish()

    def drop(self) -> None:
        """Forget the first end."""
        self._end_widths = []
        super().drop()

    def preview_click(self, point: Point) -> None:
        """Show the end that a click takes, and the bridge to it."""
        found = self._find_end(point)
        self._show_message(self.help if found else _NO_END)
        if found is None:
            self._show_line(self._clicks[-1] if self._clicks else None)
        elif self._clicks:
            self._show_line(found[0], (*self._end_widths, found[1]))
        else:
            self._show_line(found[0])

    def _find_end(self, point: Point) -> tuple[Point, float] | None:
        reach = self.reach_on_screen(max(3 * self.tracing.vein_width(self._plane), 10))
        return nearest_end(self.edited_mask.labels(self._plane), point, reach)

    def _place(self, point: Point, _straight: bool) -> Point:
        found = self._find_end(point)
        if found is None:
            return point
        self._end_widths.append(found[1])
        return found[0]

    def _find_widths(self, path: Points, ends: tuple[float, ...] = ()) -> NDArray[np.float64]:
        known = ends or self._end_widths or (self.tracing.vein_width(self._plane),)
        return np.linspace(known[0], known[-1], len(path))
