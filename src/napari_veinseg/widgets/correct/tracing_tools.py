"""The tools that follow veins: trace one, bridge a gap in one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.correction.branches import nearest_end
from napari_veinseg.correction.growing import grown_vein
from napari_veinseg.correction.lines import smoothed, vein_along, vein_redrawn
from napari_veinseg.correction.profile import centred, widths_along
from napari_veinseg.correction.tracing import Tracer, snapped
from napari_veinseg.data.labels import VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.correct.canvas_input import Point
from napari_veinseg.widgets.correct.target import Target, Valleys
from napari_veinseg.widgets.correct.tools import Tool

Points = NDArray[np.float64]


class TraceTool(Tool):
    """Click along a vein; between the clicks the line follows the vein.

    Parameters
    ----------
    target : Target
        What is corrected.
    say : callable
        Shows one short sentence to the user.
    """

    name = "Trace a vein"
    key = "T"
    help = (
        "Click along the vein. Double-click or Enter draws it, Backspace takes a click back, "
        "Esc drops the line; with Shift a stretch is straight."
    )

    def __init__(self, target: Target, say: Callable[[str], None]) -> None:
        super().__init__(target, say)
        self._clicks: list[Point] = []
        self._straight: list[bool] = []
        self._stretches: list[Points] = []
        self._tracer: Tracer | None = None
        target.ready.connect(self._on_ready)

    @property
    def busy(self) -> bool:
        """Whether a line is begun."""
        return bool(self._clicks)

    def begin(self) -> None:
        """Get ready on the displayed plane, and prepare its valleys."""
        super().begin()
        if self.target.valleys(self._plane) is None:
            self._say("Looking for veins: until that is done lines are straight.")

    def clicked(self, point: Point, straight: bool) -> None:
        """Begin a line, or lead it to the click.

        Parameters
        ----------
        point : tuple of float
            Where, (row, column) of the plane.
        straight : bool
            Whether Shift is held.
        """
        valleys = self.target.valleys(self._plane)
        point = self._placed(point, valleys, straight)
        if self._clicks:
            if np.allclose(point, self._clicks[-1]):
                return
            self._stretches.append(self._stretch(point, straight, exact=True))
            self._straight.append(straight)
        self._clicks.append(point)
        self._tracer = Tracer(valleys.cost, point) if valleys else None
        self._show(point)

    def moved(self, point: Point) -> None:
        """Lead the line to the cursor.

        Parameters
        ----------
        point : tuple of float
            Where, (row, column) of the plane.
        """
        if self._clicks:
            self._show(point)

    def finish(self) -> None:
        """Draw the vein."""
        path = self._path()
        if len(path) > 1:
            mask, widths = self.target.labels(self._plane), self._widths(path)
            if self.redraws and self.label == VEIN:
                change = vein_redrawn(mask, path, widths)
            else:
                change = vein_along(mask, path, widths, self.label)
            self.target.write({self._plane: change})
        self.drop()

    def drop(self) -> None:
        """Forget the line."""
        self._clicks, self._straight, self._stretches, self._tracer = [], [], [], None
        super().drop()

    def take_back(self) -> None:
        """Take the last click back; the line goes on from the one before."""
        if len(self._clicks) < 2:
            self.drop()
            return
        for taken in (self._clicks, self._straight, self._stretches):
            taken.pop()
        valleys = self.target.valleys(self._plane)
        self._tracer = Tracer(valleys.cost, self._clicks[-1]) if valleys else None
        self._show(self._clicks[-1])

    def _placed(self, point: Point, valleys: Valleys | None, straight: bool) -> Point:
        """Move a click onto the vein beside it."""
        if valleys is None or straight:
            return _clipped(point, self.target.labels(self._plane).shape)
        row, column = snapped(valleys.cost, point, max(valleys.vein_width / 2, 2))
        return float(row), float(column)

    def _stretch(self, point: Point, straight: bool, exact: bool) -> Points:
        if straight or self._tracer is None:
            return _straight_line(self._clicks[-1], point)
        valleys = self.target.valleys(self._plane) if exact else None
        if valleys is None:
            return smoothed(self._tracer.preview(point))
        return centred(valleys.grey, self._tracer.path(point), valleys.vein_width)

    def _path(self, *live: Points) -> Points:
        stretches = [*self._stretches, *live]
        if not stretches:
            return np.array(self._clicks, np.float64).reshape(-1, 2)
        return np.concatenate([stretches[0], *(stretch[1:] for stretch in stretches[1:])])

    def _widths(self, path: Points) -> NDArray[np.float64]:
        if self.fixed_width is not None:
            return np.full(len(path), self.fixed_width)
        valleys = self.target.valleys(self._plane)
        if valleys is None:
            return np.full(len(path), self.target.typical_width())
        return widths_along(valleys.grey, path, valleys.vein_width)

    def _show(self, point: Point) -> None:
        if self._preview is None:
            return
        live = [self._stretch(point, False, exact=False)] if point != self._clicks[-1] else []
        path = self._path(*live)
        self._preview.show_vein(path, self._widths(path), np.array(self._clicks))

    def _on_ready(self) -> None:
        """Let a line that was begun before the valleys were known follow them now."""
        if self._preview is None or self.target.valleys(self._plane) is None:
            return
        self._say(self.help)
        clicks, straight = self._clicks, [False, *self._straight]
        self.drop()
        for click, is_straight in zip(clicks, straight, strict=False):
            self.clicked(click, is_straight)


class GrowTool(Tool):
    """Click on a missing vein; it is drawn both ways, as far as the image shows it.

    Parameters
    ----------
    target : Target
        What is corrected.
    say : callable
        Shows one short sentence to the user.
    """

    name = "Add a vein"
    key = "A"
    help = "Click on a missing vein: it is drawn both ways, until it meets the mask or fades."

    def begin(self) -> None:
        """Get ready on the displayed plane, and prepare its valleys."""
        super().begin()
        self.target.valleys(self._plane)

    def clicked(self, point: Point, straight: bool) -> None:  # noqa: ARG002
        """Draw the vein.

        Parameters
        ----------
        point : tuple of float
            Where, (row, column) of the plane.
        straight : bool
            Whether Shift is held.
        """
        valleys = self.target.valleys(self._plane)
        if valleys is None:
            self._say("Still looking for veins: click again in a moment.")
            return
        mask = self.target.labels(self._plane)
        change = grown_vein(mask, valleys.grey, valleys.cost, point, valleys.vein_width, self.label)
        said = self.help if self.target.write({self._plane: change}) else "No vein is missing here."
        self._say(said)


class BridgeTool(TraceTool):
    """Click two ends; the gap between them is closed along the vein.

    Parameters
    ----------
    target : Target
        What is corrected.
    say : callable
        Shows one short sentence to the user.
    """

    name = "Bridge a gap"
    key = "G"
    help = "Click near the two ends of a gap: they are joined along the vein. Esc drops it."

    def __init__(self, target: Target, say: Callable[[str], None]) -> None:
        super().__init__(target, say)
        self._end_widths: list[float] = []

    def clicked(self, point: Point, straight: bool) -> None:
        """Take the first end, then join it to the second.

        Parameters
        ----------
        point : tuple of float
            Where, (row, column) of the plane.
        straight : bool
            Whether Shift is held.
        """
        super().clicked(point, straight)
        if len(self._clicks) == 2:
            self.finish()

    def drop(self) -> None:
        """Forget the first end."""
        self._end_widths = []
        super().drop()

    def _placed(self, point: Point, _valleys: Valleys | None, _straight: bool) -> Point:
        typical = self.target.typical_width()
        found = nearest_end(self.target.labels(self._plane), point, max(3 * typical, 10))
        if found is None:
            raise VeinSegError("There is no vein near this click: click near the end of one.")
        self._end_widths.append(found[1])
        return found[0]

    def _widths(self, path: Points) -> NDArray[np.float64]:
        ends = self._end_widths or [self.target.typical_width()]
        return np.linspace(ends[0], ends[-1], len(path))


def _clipped(point: Point, shape: tuple[int, ...]) -> Point:
    row, column = np.clip(point, 0, np.array(shape) - 1)
    return float(row), float(column)


def _straight_line(start: Point, end: Point) -> Points:
    count = int(np.ceil(np.hypot(end[0] - start[0], end[1] - start[1]))) + 1
    return np.linspace(start, end, max(count, 2))
