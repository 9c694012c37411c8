"""What a drawing tool is, and the tools that need no tracing."""

from collections.abc import Callable

import numpy as np

from napari_veinseg.correction.branches import remove_branch
from napari_veinseg.correction.unsure import unsure_box
from napari_veinseg.data.labels import BACKGROUND, VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.correct.canvas_input import Point
from napari_veinseg.widgets.correct.preview import Preview
from napari_veinseg.widgets.correct.target import Target


class Tool:
    """A way of drawing; subclasses say what happens on a click.

    Parameters
    ----------
    target : Target
        What is corrected.
    say : callable
        Shows one short sentence to the user.
    """

    name = ""
    key = ""
    help = ""
    draws_boxes = False

    def __init__(self, target: Target, say: Callable[[str], None]) -> None:
        self.target = target
        self.label = VEIN
        self.fixed_width: float | None = None
        self.redraws = False
        self._say = say
        self._preview: Preview | None = None
        self._plane: tuple[int, ...] = ()

    @property
    def busy(self) -> bool:
        """Whether something is begun."""
        return False

    def begin(self) -> None:
        """Get ready on the displayed plane."""
        self._plane = self.target.plane()
        self._preview = Preview(self.target.viewer, self.target.layer(), self._plane)

    def end(self) -> None:
        """Drop what is begun and leave the canvas as it was."""
        self.drop()
        if self._preview is not None:
            self._preview.remove()
            self._preview = None

    def is_on_displayed_plane(self) -> bool:
        """Say whether the viewer still shows the plane that `begin` found.

        Returns
        -------
        bool
            False also when no plane can be drawn on.
        """
        try:
            return self._plane == self.target.plane()
        except VeinSegError:
            return False

    def clicked(self, point: Point, straight: bool) -> None:
        """Take a click.

        Parameters
        ----------
        point : tuple of float
            Where, (row, column) of the plane.
        straight : bool
            Whether Shift is held.
        """

    def moved(self, point: Point) -> None:
        """Follow the cursor.

        Parameters
        ----------
        point : tuple of float
            Where, (row, column) of the plane.
        """

    def dragged(self, start: Point, end: Point, released: bool) -> None:
        """Take a drag.

        Parameters
        ----------
        start, end : tuple of float
            Where it began and where it is, (row, column).
        released : bool
            Whether the button was let go.
        """

    def finish(self) -> None:
        """Write what is begun."""

    def drop(self) -> None:
        """Forget what is begun."""
        if self._preview is not None:
            self._preview.hide()

    def take_back(self) -> None:
        """Take the last click back."""


class RemoveTool(Tool):
    """Click on a wrong vein; the branch between its two bifurcations or ends goes.

    Parameters
    ----------
    target : Target
        What is corrected.
    say : callable
        Shows one short sentence to the user.
    """

    name = "Remove a branch"
    key = "D"
    help = "Click on a wrong vein: it goes between its two bifurcations or ends."

    def clicked(self, point: Point, straight: bool) -> None:  # noqa: ARG002
        """Remove the branch.

        Parameters
        ----------
        point : tuple of float
            Where, (row, column) of the plane.
        straight : bool
            Whether Shift is held.
        """
        plane = self.target.plane()
        label = BACKGROUND if self.label == VEIN else self.label
        change = remove_branch(self.target.labels(plane), point, label=label)
        if not self.target.write({plane: change}):
            self._say("There is no vein under this click.")


class BoxTool(Tool):
    """Drag a rectangle; everything in it becomes unsure.

    Parameters
    ----------
    target : Target
        What is corrected.
    say : callable
        Shows one short sentence to the user.
    """

    name = "Unsure box"
    key = "U"
    help = "Drag a rectangle over what nobody can decide: training and scores leave it out."
    draws_boxes = True

    def dragged(self, start: Point, end: Point, released: bool) -> None:
        """Show the rectangle, and write it when the button is released.

        Parameters
        ----------
        start, end : tuple of float
            Where it began and where it is, (row, column).
        released : bool
            Whether the button was let go.
        """
        corners = np.array([start, end])
        if not released:
            if self._preview is not None:
                self._preview.show_box(corners)
            return
        self.drop()
        plane = self.target.plane()
        self.target.write({plane: unsure_box(self.target.labels(plane), corners)})
