"""A tool that shows what a click would do, before it is made."""

import time
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QTimer

from napari_veinseg.data.array_types import Point
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.correct.tool import Tool

_SOONEST = 30  # ms between two looks; a look that takes long makes the next one wait longer


class HoverTool(Tool):
    """Subclasses say what is shown where the cursor is."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._cursor: Point | None = None
        self._timer = QTimer(singleShot=True, interval=_SOONEST)
        self._timer.timeout.connect(self._look)

    def preview_click(self, point: Point) -> None:
        """Show on the canvas, and in words, what a click would do."""

    def move(self, point: Point) -> None:
        """Look where the cursor is, once for moves that follow each other fast."""
        self._cursor = point
        if not self._timer.isActive():
            self._timer.start()

    def end(self) -> None:
        """Look no more, and leave the canvas as it was."""
        with suppress(RuntimeError):  # Qt has deleted it: the program ends
            self._timer.stop()
        self._cursor = None
        super().end()

    def look_again(self) -> None:
        """Show what a click would do now that the mask has changed."""
        if self._cursor is not None:
            self.move(self._cursor)

    def _look(self) -> None:
        if self._preview is None or self._cursor is None:
            return
        begin = time.perf_counter()
        with reported(self.name, None):
            self.preview_click(self._cursor)
        self._timer.setInterval(max(_SOONEST, int(2e3 * (time.perf_counter() - begin))))
