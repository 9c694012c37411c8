"""The one dialog of a folder run: which images, where the masks go, and which are made."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QWidget

from napari_veinseg.segmentation.batch.plan_files import FolderOptions
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common.form import Section, column
from napari_veinseg.widgets.common.inputs import FolderField
from napari_veinseg.widgets.segment.folder import FolderTask

_KEEP, _UPDATE, _OVERWRITE = (
    "keep them",
    "make those of another model or setting anew",
    "make all of them anew",
)
_MASKS_ENDING = "_masks"


class FolderDialog(QDialog):
    """Asks once for all; it says `chosen` when both folders are known and it is confirmed."""

    chosen = Signal(object)
    """Carries a FolderTask."""

    def __init__(self, parent: QWidget, model: Path, settings: SegmentationSettings) -> None:
        super().__init__(parent)
        self._model, self._settings = model, settings
        self._suggested = ""
        self.setWindowTitle("Segment a folder")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.images = FolderField("Folder of images", "Choose the folder of images.")
        self.masks = FolderField("Folder for the masks", "Choose the folder for the masks.")
        self.existing = QComboBox()
        self.existing.addItems([_KEEP, _UPDATE, _OVERWRITE])
        self.recursive = QCheckBox("Images of subfolders, too")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = self.buttons.addButton("Segment", QDialogButtonBox.ButtonRole.AcceptRole)
        self._lay_out()
        self.images.textChanged.connect(self._suggest)
        self.masks.textChanged.connect(self._show_state)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._show_state()

    def _lay_out(self) -> None:
        section = Section("")
        self.images.add_to(section, "Images", "The folder whose images are segmented.")
        self.masks.add_to(
            section, "Masks", "Where the masks and summary.csv are written: another folder."
        )
        section.add_row(
            "Masks there already",
            self.existing,
            "Masks that somebody has edited are kept, unless all are made anew.",
        )
        section.add_wide(self.recursive, "Take subfolders, too; the masks' folder mirrors them.")
        column(self, section, self.buttons, margins=(10, 10, 10, 10))
        self.setMinimumWidth(460)

    def accept(self) -> None:
        """Hand over what was chosen."""
        images, masks = self.images.path(), self.masks.path()
        if images is not None and masks is not None:
            how = self.existing.currentText()
            options = FolderOptions(
                self.recursive.isChecked(), overwrite=how == _OVERWRITE, update=how == _UPDATE
            )
            self.chosen.emit(FolderTask(images, masks, self._model, self._settings, options))
            super().accept()

    def _suggest(self) -> None:
        """Name a folder beside the images, as long as the user has named none."""
        images = self.images.path()
        free = self.masks.text() in ("", self._suggested)
        if free and images is not None and images.name:  # a drive has no name
            self._suggested = str(images.with_name(images.name + _MASKS_ENDING))
            self.masks.setText(self._suggested)
        self._show_state()

    def _show_state(self) -> None:
        self.go.setEnabled(bool(self.images.path() and self.masks.path()))
