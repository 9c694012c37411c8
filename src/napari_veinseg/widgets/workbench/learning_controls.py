"""The foot of the workbench that concerns learning: the switch, the versions, the curve."""

from functools import partial

from qtpy.QtWidgets import QCheckBox, QInputDialog, QMenu, QWidget
from superqt.utils import signals_blocked

from napari_veinseg.training.watched_runs import Version
from napari_veinseg.widgets.common.form import Hint, button, column, explain, row
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.model_choice import install_model
from napari_veinseg.widgets.common.notify import show_info
from napari_veinseg.widgets.train.curves import SCORE_COLOUR, CurvePlot, EpochCurve
from napari_veinseg.widgets.workbench.learning import LearningBeside
from napari_veinseg.wording import capitalised

NEWEST = "Always the newest"


class LearningControls(QWidget):
    """Switches learning on and off, goes back to an earlier version, shows how it goes."""

    def __init__(self, learning: LearningBeside) -> None:
        super().__init__()
        self._learning = learning
        self._roomy = True
        self._job = Job("Keeping the version", self)
        self.switch = QCheckBox("Learn while I correct")
        explain(
            self.switch,
            "A model learns from what you review, in a process of its own on half of the "
            "processor's cores. The next images get their masks from its newest version; what you "
            "drew stays. It goes on from where it was when you switch it on again.",
        )
        self.versions = button(
            "Versions", "The model that makes the masks: the newest version, or an earlier one."
        )
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.versions.setMenu(self.menu)
        self.state = Hint()
        self.curve = CurvePlot()
        self.curve.setFixedHeight(84)
        self.curve.setToolTip(
            "How wrong the mask was that each image got, before you corrected it and before "
            "anything was learned from it: 1 - vein IoU. It falls where learning helps."
        )
        rows = column(self, self.state, self.curve, spacing=4)
        rows.insertLayout(0, row(self.switch, self.versions))
        self.switch.toggled.connect(learning.switch)
        learning.changed.connect(self.refresh)
        self.refresh()

    def give_room(self, roomy: bool) -> None:
        """Show the curve only where the dock is high enough for it."""
        if roomy != self._roomy:
            self._roomy = roomy
            self.refresh()

    def refresh(self) -> None:
        """Show what learning does now."""
        learning = self._learning
        self.setVisible(learning.has_folder)
        with signals_blocked(self.switch):
            self.switch.setChecked(learning.wanted)
        errors = learning.errors_on_arrival()
        has_curve = len(errors) > 1
        text = learning.describe()
        if has_curve and not self._roomy and (learning.wanted or not text):
            text = f"{text} Last error on arrival: {errors[-1]:.2f}.".strip()
        self.state.say(text)
        in_use = learning.in_use
        self.versions.setVisible(in_use is not None or len(learning.versions()) > 1)
        name = in_use.name if in_use is not None else "versions"
        self.versions.setText(f"{capitalised(name)}   ")  # room for the arrow
        self.curve.setVisible(has_curve and self._roomy)
        points = dict(enumerate(errors, start=1))
        curve = EpochCurve("Error on arrival", SCORE_COLOUR, points, unit="image", first=1)
        self.curve.show_curves([curve])

    def _fill_menu(self) -> None:
        learning = self._learning
        self.menu.clear()
        newest = self.menu.addAction(NEWEST)
        newest.setCheckable(True)
        newest.setChecked(not learning.held)
        newest.triggered.connect(partial(self._use, None))
        self.menu.addSeparator()
        for version in reversed(learning.versions()):
            action = self.menu.addAction(str(version))
            action.setCheckable(True)
            action.setChecked(learning.held and version == learning.in_use)
            action.triggered.connect(partial(self._use, version))
        self.menu.addSeparator()
        keep = self.menu.addAction("Keep this version as a model…")
        keep.setEnabled(learning.in_use is not None and learning.in_use.number > 0)
        keep.triggered.connect(self._keep)

    def _use(self, version: Version | None, _checked: bool = False) -> None:
        self._learning.use(version)

    def _keep(self, _checked: bool = False) -> None:
        """Give the version in use a name, by which it can be chosen everywhere."""
        version = self._learning.in_use
        if version is None:
            return
        name, agreed = QInputDialog.getText(
            self, "Keep this version", f"A name for {version.name}:", text="my model"
        )
        if agreed:
            where = "it can be chosen wherever a model is asked for"
            work = partial(install_model, version.path, name.strip())
            self._job.start(work, lambda kept: show_info(f"'{kept}' is kept: {where}."))
