"""The tool that removes the branch of a vein."""

from napari_veinseg.correction.branches import REACH, remove_branch
from napari_veinseg.correction.change import Change
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.widgets.correct.hover_tool import HoverTool
from napari_veinseg.widgets.correct.tool import Point

_NOTHING = "There is no vein under the cursor."


class RemoveTool(HoverTool):
    """Click on a wrong vein; the branch that is shown goes."""

    name = "Remove a branch"
    key = "D"
    help = "Click on a wrong vein: what is shown goes, up to the next bifurcation or end."

    def preview_click(self, point: Point) -> None:
        """Show what a click removes."""
        change = self._find(point)
        if self._preview is not None:
            self._preview.show_pixels(change.rows, change.columns)
        self._show_message(self.help if len(change) else _NOTHING)

    def click(self, point: Point, straight: bool) -> None:  # noqa: ARG002
        """Remove the branch."""
        self.drop()
        if not self.edited_mask.write({self._plane: self._find(point)}):
            self._show_message(_NOTHING)

    def _find(self, point: Point) -> Change:
        label = BACKGROUND if self.label == VEIN else self.label
        reach = self.reach_on_screen(REACH)
        return remove_branch(self.edited_mask.labels(self._plane), point, label, reach)
