"""The section of the Train widget that chooses a dataset and says what is in it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import QEvent, Signal

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.errors import VeinSegError
from napari_veinseg.training.dataset_survey import survey
from napari_veinseg.widgets.common.finger_names import FingerNames
from napari_veinseg.widgets.common.form import Hint, Section, button
from napari_veinseg.widgets.common.inputs import FolderField
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.train.open_layers import add_planes, open_planes

_NOTHING_YET = "Choose a folder, or add the layers that are open."
_NONE_REVIEWED = "No image of the open folder is reviewed yet: a model learns from those that are."
_REFUSAL = "There is no image to learn from: see 'Images and masks' above."


class DatasetChoice(Section):
    """A folder with images and masks, which open layers may be added to."""

    surveyed = Signal()
    """It is known, or no longer, whether a model can learn from the dataset."""

    def __init__(
        self, panel: Panel, job: Job, busy: Callable[[], bool], base: Callable[[], Path | None]
    ) -> None:
        super().__init__("Images and masks")
        self._panel, self._job, self._busy, self._base = panel, job, busy, base
        self._outdated = False  # the summary, by a change during the job or a training
        self.refusal = ""
        """Why no model can learn from the dataset, as far as it was looked at."""
        self.folder = FolderField(
            "Choose a dataset", "Choose a folder with 'images' and 'masks', or make one."
        )
        self.add_layers = button(
            "Add open layers",
            "Put every open image that has a mask over it into the dataset; a sample that shows "
            "the same image gets the new mask.",
        )
        self.names = FingerNames(
            "Tick this only if it is so: shots of one subject must not be on both sides of the "
            "split, and a wrong guess makes the score too good."
        )
        self._held: Path | None = None
        self.summary = Hint(_NOTHING_YET)
        self.folder.add_to(self, "Dataset", "The folder with 'images' and 'masks' to train from.")
        self.add_wide(self.add_layers)
        self.add_wide(self.names)
        self.add_wide(self.summary)
        self.names.changed.connect(self._survey)
        self.folder.chosen.connect(self._survey)
        self.folder.textChanged.connect(self._know_nothing)
        self.add_layers.clicked.connect(self._add_open_layers)
        panel.closing.connect(partial(setattr, self, "_outdated", False))
        job.changed.connect(self.catch_up)

    def path(self) -> Path:
        """Return the chosen folder."""
        folder = self.folder.path()
        if folder is None:
            raise VeinSegError("Choose a dataset folder first: it is what a model learns from.")
        return folder

    def hold(self, folder: Path | None) -> None:
        """Train on the dataset of an open folder, which is chosen elsewhere; None for any."""
        self.set_row_visible(self.folder, folder is None)
        self.add_layers.setVisible(folder is None)
        if folder is None and self._held is not None:
            self.folder.clear()  # it was chosen by the folder that is closed now
        self._held = folder
        self.summary.setText(_NOTHING_YET)
        if folder is not None:
            self.folder.setText(str(folder))
            self.names.clear()
        self.refresh()

    def refresh(self) -> None:
        """Read the dataset again, where there is one: it may have grown."""
        folder = self.folder.path()
        if folder is None or self._held is None or any((folder / "masks").glob("*")):
            self._survey()
        else:
            self._tell(_NONE_REVIEWED, usable=False)

    def event(self, event: QEvent | None) -> bool:
        """Look again when somebody comes back to the viewer, perhaps with better files."""
        if event is not None and event.type() == QEvent.Type.WindowActivate and self.refusal:
            self.refresh()
        return super().event(event)

    def _know_nothing(self, *_text: str) -> None:
        self.refusal = ""
        self.surveyed.emit()

    def _tell(self, text: str, usable: bool) -> None:
        """Say what is in the dataset, and whether a model can learn from it."""
        self.summary.setText(text)
        self.refusal = "" if usable else _REFUSAL
        self.surveyed.emit()

    def show_idle(self, idle: bool) -> None:
        """Let the buttons be pressed or not."""
        self.folder.browse.setEnabled(idle)
        self.add_layers.setEnabled(idle)

    def _add_open_layers(self) -> None:
        with reported("Adding the layers", self):
            planes = open_planes(self._panel.viewer)
            if not planes:
                raise VeinSegError(
                    "No open image has a mask over it: segment one, or add a Labels layer."
                )
            if self.folder.path() is None:
                self.folder.ask()
            path = self.path()

            def work(_reporter: Reporter) -> int:
                return add_planes(Dataset.create(path), planes)

            self._job.start(work, done=self._survey, saves=True)

    def _survey(self, *_value: object) -> None:
        """Say what would be trained and judged on, and suggest a name pattern."""
        path = self.folder.path()
        if path is None:
            return
        self._outdated = self._job.running or self._busy()
        if self._outdated:
            return
        try:
            self.names.show_names([sample.stem for sample in Dataset.open(path)])
        except VeinSegError as error:
            self._tell(str(error), usable=False)
            return
        pattern, base = self.names.finger_pattern(), self._base()

        def work(_reporter: Reporter) -> tuple[str, bool]:
            try:
                found = survey(path, pattern, base)
            except VeinSegError as error:  # it has to stay in sight, too
                return str(error), False
            return str(found), found.train > 0

        self.summary.setText("Reading the images and masks…")
        self._job.start(work, done=lambda told: self._tell(*told))

    def catch_up(self) -> None:
        """Read the dataset again if that was held up."""
        if self._outdated:
            self._survey()
