"""The section of the Train widget that chooses a dataset and says what is in it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QCheckBox, QFileDialog, QLineEdit

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.fingers import suggest_finger_pattern
from napari_veinseg.errors import VeinSegError
from napari_veinseg.training.survey import Survey, survey
from napari_veinseg.widgets.common.form import Section, button, hint
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.train.open_layers import add_pairs, open_pairs


class DatasetChoice(Section):
    """A folder with images and masks, which open layers may be added to."""

    def __init__(self, panel: Panel, job: Job, busy: Callable[[], bool]) -> None:
        super().__init__("Images and masks")
        self._panel, self._job, self._busy = panel, job, busy
        self._outdated = False  # the summary, by a change during the job
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("choose a folder")
        self.browse = button("Choose…", "Choose a folder with 'images' and 'masks', or make one.")
        self.add_layers = button(
            "Add open layers",
            "Put every open image that has a mask over it into the dataset; a sample that shows "
            "the same image gets the new mask.",
        )
        self.by_name = QCheckBox("The names say which finger it is")
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("regular expression, as ^(.+)_\\d+$")
        self.summary = hint("Choose a folder, or add the layers that are open.")
        self._lay_out()
        self.by_name.toggled.connect(partial(self.set_row_visible, self.pattern))
        self.by_name.toggled.connect(self._survey)
        self.pattern.editingFinished.connect(self._survey)
        self.folder.editingFinished.connect(self._survey)
        self.browse.clicked.connect(self._browse)
        self.add_layers.clicked.connect(self._add_open_layers)
        panel.closing.connect(partial(setattr, self, "_outdated", False))
        job.changed.connect(self._catch_up)

    def _lay_out(self) -> None:
        self.add_row(
            "Dataset",
            self.folder,
            "The folder with 'images' and 'masks' to train from.",
            self.browse,
        )
        self.add_wide(self.add_layers)
        self.add_wide(
            self.by_name,
            "Tick this only if it is so: shots of one finger must not be on both sides of the "
            "split, and a wrong guess makes the score too good.",
        )
        self.add_row(
            "Name pattern",
            self.pattern,
            "A regular expression; what its first ( ) finds in a file name is the finger.",
        )
        self.add_wide(self.summary)
        self.set_row_visible(self.pattern, False)

    @property
    def finger_pattern(self) -> str | None:
        """The pattern that the user has confirmed, or None."""
        return (self.pattern.text().strip() or None) if self.by_name.isChecked() else None

    def path(self) -> Path:
        """Return the chosen folder."""
        text = self.folder.text().strip()
        if not text:
            raise VeinSegError("Choose a dataset folder first: it is what a model learns from.")
        return Path(text).expanduser()

    def show_idle(self, idle: bool) -> None:
        """Let the buttons be pressed or not."""
        self.browse.setEnabled(idle)
        self.add_layers.setEnabled(idle)

    def _browse(self) -> None:
        if self._choose_folder():
            self._survey()

    def _choose_folder(self) -> bool:
        chosen = QFileDialog.getExistingDirectory(self, "Choose a dataset", self.folder.text())
        if chosen:
            self.folder.setText(chosen)
        return bool(chosen)

    def _add_open_layers(self) -> None:
        with reported("Adding the layers"):
            pairs = open_pairs(self._panel.viewer)
            if not pairs:
                raise VeinSegError(
                    "No open image has a mask over it: segment one, or add a Labels layer."
                )
            if not self.folder.text().strip():
                self._choose_folder()
            path = self.path()

            def work(_reporter: Reporter) -> int:
                return add_pairs(Dataset.create(path), pairs)

            self._job.start(work, done=self._survey)

    def _survey(self, *_value: object) -> None:
        """Say what would be trained and judged on, and suggest a name pattern."""
        if not self.folder.text().strip() or self._busy():
            return
        self._outdated = self._job.running
        if self._outdated:
            return
        with reported("Reading the dataset"):
            path = self.path()
            if not self.pattern.text():
                names = [sample.stem for sample in Dataset.open(path)]
                self.pattern.setText(suggest_finger_pattern(names) or "")
            pattern = self.finger_pattern

            def work(_reporter: Reporter) -> Survey:
                return survey(path, pattern)

            self.summary.setText("Reading the images and masks…")
            self._job.start(work, done=self._show_survey)

    def _catch_up(self) -> None:
        if self._outdated and not self._job.running:
            self._survey()

    def _show_survey(self, found: Survey) -> None:
        self.summary.setText(str(found))
