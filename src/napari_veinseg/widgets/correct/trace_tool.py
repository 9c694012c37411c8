"""The tool that traces a vein from click to click."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.correction.change import painted
from napari_veinseg.correction.lines import smoothed, vein_redrawn, vein_region
from napari_veinseg.correction.tracing import Tracer, snapped
from napari_veinseg.correction.vein_profile import centred, widths_along
from napari_veinseg.data.array_types import Point, Points
from napari_veinseg.data.labels import VEIN
from napari_veinseg.widgets.correct.hover_tool import HoverTool


class TraceTool(HoverTool):
    """Click along a vein; between the clicks the line follows the vein."""

    name = "Trace a vein"
    key = "T"
    help = (
        "Click along the vein. Double-click or Enter draws it, Backspace takes a click back, "
        "Esc drops the line; with Shift a stretch is straight."
    )

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._clicks: list[Point] = []
        self._straight: list[bool] = []
        self._stretches: list[Points] = []
        self._tracer: Tracer | None = None
        self.tracing.ready.connect(self._on_ready)

    @property
    def busy(self) -> bool:
        """Whether a line is begun."""
        return bool(self._clicks)

    def begin(self) -> None:
        """Get ready on the displayed plane, and prepare to trace on it."""
        super().begin()
        if self.tracing.find(self._plane) is None:
            self._show_message("Looking for veins: until that is done lines are straight.")

    def click(self, point: Point, straight: bool) -> None:
        """Begin a line, or lead it to the click."""
        point = self._place(point, straight)
        if self._clicks:
            if np.allclose(point, self._clicks[-1]):
                return
            self._stretches.append(self._find_stretch(point, straight, exact=True))
        self._clicks.append(point)
        self._straight.append(straight)
        self._go_on()

    def preview_click(self, point: Point) -> None:
        """Lead the line to where a click would be placed."""
        self._show_line(self._place(point, False))

    def finish(self) -> None:
        """Draw the vein."""
        path = self._join_stretches()
        if len(path) > 1:
            labels, widths = self.edited_mask.labels(self._plane), self._find_widths(path)
            region = vein_region(labels.shape, path, widths)
            if self.redraws and self.label == VEIN:
                change = vein_redrawn(labels, path, widths)
            else:
                change = painted(labels, region, self.label)
            self.edited_mask.write({self._plane: change}, {self._plane: region})
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
        self._go_on()

    def _go_on(self) -> None:
        """Let the line go on from the last click."""
        data = self.tracing.find(self._plane)
        self._tracer = Tracer(data.cost, self._clicks[-1]) if data else None
        self._show_line(self._clicks[-1])

    def _place(self, point: Point, straight: bool) -> Point:
        """Move a click onto the vein beside it."""
        data = self.tracing.find(self._plane)
        if data is None or straight:
            return _clip(point, self.edited_mask.labels(self._plane).shape)
        row, column = snapped(data.cost, point, max(data.vein_width, 3))
        return float(row), float(column)

    def _find_stretch(self, point: Point, straight: bool, exact: bool) -> Points:
        if straight or self._tracer is None:
            return _draw_straight(self._clicks[-1], point)
        data = self.tracing.find(self._plane) if exact else None
        if data is None:
            return smoothed(self._tracer.preview(point))
        return centred(data.grey, self._tracer.path(point), data.vein_width)

    def _join_stretches(self, *live: Points) -> Points:
        stretches = [*self._stretches, *live]
        if not stretches:
            return np.array(self._clicks, np.float64).reshape(-1, 2)
        return np.concatenate([stretches[0], *(stretch[1:] for stretch in stretches[1:])])

    def _find_widths(self, path: Points, _ends: tuple[float, ...] = ()) -> NDArray[np.float64]:
        if self.fixed_width is not None:
            return np.full(len(path), self.fixed_width)
        data = self.tracing.find(self._plane)
        if data is None:
            return np.full(len(path), self.tracing.vein_width(self._plane))
        return widths_along(data.grey, path, data.vein_width)

    def _show_line(self, end: Point | None, end_widths: tuple[float, ...] = ()) -> None:
        """Show the line with its clicks, led on to `end`; before the first click, that alone."""
        if self._preview is None:
            return
        live, marks = [], list(self._clicks)
        if end is not None and end not in marks:
            marks.append(end)
            if self._clicks:
                live = [self._find_stretch(end, False, exact=False)]
        path = self._join_stretches(*live)
        widths = self._find_widths(path, end_widths)
        self._preview.show_vein(path, widths, np.array(marks).reshape(-1, 2))

    def _on_ready(self) -> None:
        """Let a line that was begun before the veins were known follow them now."""
        if self._preview is None or self.tracing.find(self._plane) is None:
            return
        self._show_message(self.help)
        clicks, straight = self._clicks, self._straight
        self.drop()
        for click, is_straight in zip(clicks, straight, strict=True):
            self.click(click, is_straight)


def _clip(point: Point, shape: tuple[int, ...]) -> Point:
    row, column = np.clip(point, 0, np.array(shape) - 1)
    return float(row), float(column)


def _draw_straight(start: Point, end: Point) -> Points:
    count = math.ceil(math.dist(start, end)) + 1
    return np.linspace(start, end, max(count, 2))
