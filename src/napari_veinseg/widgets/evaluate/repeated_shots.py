"""The part of the Evaluate widget that judges masks of repeated shots, without a truth."""

from qtpy.QtCore import Signal

from napari_veinseg.data.mixed_folders import list_masks
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.consistency.compare_folders import FolderComparison, compare_folders
from napari_veinseg.widgets.common.finger_names import FingerNames
from napari_veinseg.widgets.common.form import Hint, Section, button
from napari_veinseg.widgets.common.inputs import FolderField
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.result_views import FigureTable

_RATE = "Equal error rate\nPairs taken for the wrong subject, lower is better; 95 % interval."
_DISTANCE = "d-prime\nDistance of both kinds of pairs in standard deviations, higher is better."

_NAMED = 3  # files that are left out


class RepeatedShots(Section):
    """Choose one or two folders of masks, mark the finger in a name, press Judge."""

    shown = Signal()
    """There are new figures."""

    def __init__(self) -> None:
        super().__init__("Repeated shots, without a truth")
        self.job = Job("Matching", self)
        self.first = FolderField("Folder of masks", "Choose a folder of masks.")
        self.second = FolderField("Folder of other masks", "Choose a second folder of masks.")
        self.second.setPlaceholderText("nothing to compare with")
        self.fingers = FingerNames("", of="mask")
        self.judge = button(
            "&Judge", "Masks of one subject should agree after a small shift, others should not."
        )
        self.caveats = Hint()
        self.table = FigureTable("Repeated shots", ["Masks", _RATE, _DISTANCE], 2)
        self.first.add_to(self, "Masks", "Masks of several shots of each subject, of any sizes.")
        self.second.add_to(self, "Compare", "Other masks of the same images; may stay empty.")
        self.add_wide(self.fingers)
        self.add_wide(self.judge)
        self.add_wide(self.caveats)
        self.add_wide(self.table, "How well the masks tell subjects apart, by Miura matching.")
        self.caveats.hide()
        self.table.hide()
        self.first.chosen.connect(self._show_names)
        self.judge.clicked.connect(self._judge)
        self.job.changed.connect(lambda: self.judge.setEnabled(not self.job.running))

    def _show_names(self) -> None:
        folder = self.first.path()
        with reported("Reading the folder", self):
            masks = list_masks(folder) if folder is not None else []
            self.fingers.show_names([path.stem for path in masks])

    def _judge(self) -> None:
        with reported("Matching", self):
            folders = [path for path in (self.first.path(), self.second.path()) if path]
            pattern = self.fingers.finger_pattern()
            if not folders or not pattern:
                raise VeinSegError(
                    "Choose a folder of masks, and click the part of a name that is the subject."
                )
            self.job.start(lambda _: compare_folders(folders, pattern), self.show_comparison)

    def show_comparison(self, compared: FolderComparison) -> None:
        """Show the figures, and above them what makes them weak."""
        said = [f"Left out: {fault.message}" for fault in compared.left_out[:_NAMED]]
        more = len(compared.left_out) - len(said)
        said += [f"Left out are {more} more."] if more else []
        said += compared.caveats
        if compared.difference:
            said.append(f"First minus second: {compared.difference}.")
        said.append(str(compared.pairs))
        self.caveats.say("\n".join(said))
        self.table.fill(
            [
                (name, str(each.equal_error_rate), str(each.d_prime))
                for name, each in zip(compared.names, compared.consistency, strict=True)
            ]
        )
        self.table.show()
        self.shown.emit()
