"""Changes to whole planes of the mask: beside the viewer, and cancelled by their own button."""

from collections.abc import Callable
from functools import partial
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QPushButton

from napari_veinseg.correction.change import Change
from napari_veinseg.data.labels import VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.form import button
from napari_veinseg.widgets.common.jobs import Job, Reporter, Step
from napari_veinseg.widgets.common.notify import reported, show_info
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex
from napari_veinseg.wording import some_of

Action = Callable[[NDArray[Any], PlaneIndex], Change]
"""Changes a plane, in any thread: all that it needs of the viewer was taken when it was made."""


class MaskWork(QObject):
    """Runs what its buttons ask for, on the displayed plane or on all of them."""

    def __init__(self, edited_mask: EditedMask, parent: QObject) -> None:
        super().__init__(parent)
        self._mask = edited_mask
        self._texts: dict[QPushButton, str] = {}  # of the buttons, while none of them cancels
        self._pressed: QPushButton | None = None
        self.acts_on_all: Callable[[], bool] = lambda: False
        self.job = Job("Changing the mask", self)
        self.job.changed.connect(self._show_work)

    def make_button(
        self, text: str, tooltip: str, prepare: Callable[[], Action], *, shapes_veins: bool = False
    ) -> QPushButton:
        """Make a button that changes the mask in one undo step.

        What `shapes_veins` makes all veins the user's: their borders alone are no decision.
        """
        made = button(text, tooltip)
        return self.add_button(made, partial(self._change, text, prepare, shapes_veins))

    def add_button(self, made: QPushButton, start: Callable[[], None]) -> QPushButton:
        """Let a button start work, and cancel it while it runs."""
        self._texts[made] = made.text()
        made.clicked.connect(lambda: self._press(made, start))
        return made

    def _press(self, pressed: QPushButton, start: Callable[[], None]) -> None:
        if self.job.running:  # only the button that began can be pressed then
            self.job.cancel()
            return
        self._pressed = pressed
        with reported(self._texts[pressed], self):
            start()

    def _change(self, doing: str, prepare: Callable[[], Action], shapes_veins: bool) -> None:
        mask, layer = self._mask, self._mask.bring_in_sight()
        action, shape = prepare(), layer.data.shape
        planes = mask.list_planes() if self.acts_on_all() else [mask.displayed_plane()]
        before = {plane: mask.labels(plane).copy() for plane in planes}

        def work(reporter: Reporter) -> dict[PlaneIndex, Change]:
            changes = {}
            for number, (plane, labels) in enumerate(before.items()):
                reporter.tell(Step(number, len(before), doing))
                changes[plane] = action(labels, plane)
            reporter.tell(Step(len(before), len(before), doing))  # it may be cancelled by now
            return changes

        def write(changes: dict[PlaneIndex, Change]) -> None:
            changed = [plane for plane, change in changes.items() if len(change)]
            same = layer.data.shape == shape and mask.layer is layer
            if not same or any((before[each] != mask.labels(each)).any() for each in changed):
                raise VeinSegError(
                    f"The mask was changed in the meantime: press '{doing}' once more."
                )
            shaped = {plane: changes[plane].applied_to(before[plane]) == VEIN for plane in changed}
            mask.write(changes, shaped if shapes_veins else None)
            if not changed:
                show_info(f"{doing}: there was nothing to change.")
            elif len(before) > 1:
                some = some_of(len(changed), len(before), "slice")
                were = "was" if len(changed) == 1 else "were"
                show_info(f"{doing}: {some} {were} changed.")

        self.job.do(sum(labels.size for labels in before.values()), work, write)

    def _show_work(self) -> None:
        """Let the button that was pressed cancel, and no other begin."""
        running = self.job.running
        for made, text in self._texts.items():
            cancels = running and made is self._pressed
            made.setText("Cancel" if cancels else text)
            made.setEnabled(cancels or not running)
