"""What a drawing tool is: it is told of clicks, moves, drags and keys over the displayed plane."""

from collections.abc import Callable

from napari_veinseg.data.array_types import Point
from napari_veinseg.data.labels import VEIN
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex
from napari_veinseg.widgets.correct.preview import Preview
from napari_veinseg.widgets.correct.tracing_cache import TracingCache
from napari_veinseg.widgets.masks.layer_placement import pixel_side

_REACH = 8  # px of the screen by which a hand misses a thin line


class Tool:
    """A way of drawing; subclasses say what happens on a click."""

    name = ""
    key = ""
    help = ""
    draws_boxes = False

    def __init__(
        self, edited_mask: EditedMask, tracing: TracingCache, show: Callable[[str], None]
    ) -> None:
        self.edited_mask, self.tracing = edited_mask, tracing
        self.label = VEIN
        self.fixed_width: float | None = None
        self.redraws = False
        self._show_message = show
        self._preview: Preview | None = None
        self._plane: PlaneIndex = ()

    @property
    def busy(self) -> bool:
        """Whether something is begun that can be finished, dropped or taken back."""
        return False

    def begin(self) -> None:
        """Get ready on the displayed plane."""
        mask = self.edited_mask
        self._plane = mask.displayed_plane()
        self._preview = Preview(mask.viewer, mask.require_layer(), self._plane)

    def end(self) -> None:
        """Drop what is begun and leave the canvas as it was."""
        self.drop()
        if self._preview is not None:
            self._preview.remove()
            self._preview = None

    def is_on_displayed_plane(self) -> bool:
        """Say whether the viewer still shows the plane that `begin` found."""
        return self.edited_mask.shows(self.edited_mask.layer, self._plane)

    def reach_on_screen(self, least: float) -> float:
        """Return how far beside a vein, in px of the mask, a click still means it."""
        pixel = pixel_side(self.edited_mask.require_layer())
        return max(least, _REACH / (self.edited_mask.viewer.scene.camera.zoom * pixel))

    def click(self, point: Point, straight: bool) -> None:
        """Take a click; `straight` when Shift is held."""

    def move(self, point: Point) -> None:
        """Follow the cursor."""

    def drag(self, start: Point, end: Point, released: bool) -> None:
        """Take a drag with the left button; only tools that draw boxes are told."""

    def finish(self) -> None:
        """Write what is begun: a double-click or Enter."""

    def drop(self) -> None:
        """Forget what is begun: Escape."""
        if self._preview is not None:
            self._preview.hide()

    def take_back(self) -> None:
        """Take the last click back: Backspace."""
