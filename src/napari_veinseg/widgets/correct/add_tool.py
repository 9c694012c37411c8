"""The tool that adds a whole vein by one click."""

import numpy as np

from napari_veinseg.correction.change import painted
from napari_veinseg.correction.lines import vein_region
from napari_veinseg.correction.vein_finder import FoundVein
from napari_veinseg.data.array_types import Point
from napari_veinseg.widgets.correct.hover_tool import HoverTool

_REMEDY = "Trace it to draw it all the same."


class AddTool(HoverTool):
    """Point at a missing vein; the line that is shown becomes a vein by a click."""

    name = "Add a vein"
    key = "A"
    help = (
        "Point at a missing vein: one line follows it both ways until it meets the mask or fades. "
        "A click draws what is shown."
    )

    def begin(self) -> None:
        """Get ready on the displayed plane, and prepare to trace on it."""
        super().begin()
        if self.tracing.find(self._plane) is None:
            self._show_message("Looking for veins…")

    def preview_click(self, point: Point) -> None:
        """Show the vein that a click draws, or say why there is none."""
        found = self._find(point)
        if found is None or self._preview is None:
            return
        self._preview.show_vein(found.path, found.widths, np.zeros((0, 2)))
        self._show_message(f"{found.refusal} {_REMEDY}" if found.refusal else self.help)

    def click(self, point: Point, straight: bool) -> None:  # noqa: ARG002
        """Draw the vein."""
        found = self._find(point)
        if found is None:
            self._show_message("Still looking for veins: click again in a moment.")
        elif found.refusal:
            self._show_message(f"{found.refusal} {_REMEDY}")
        else:
            labels = self.edited_mask.labels(self._plane)
            region = vein_region(labels.shape, found.path, found.widths)
            change = painted(labels, region, self.label)
            self.edited_mask.write({self._plane: change}, {self._plane: region})
            self.drop()

    def _find(self, point: Point) -> FoundVein | None:
        data = self.tracing.find(self._plane)
        if data is None:
            return None
        found = data.finder.find(self.edited_mask.labels(self._plane), point)
        if self.fixed_width is None:
            return found
        return FoundVein(found.path, np.full(len(found.path), self.fixed_width), found.refusal)
