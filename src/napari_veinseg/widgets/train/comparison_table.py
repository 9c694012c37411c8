"""What a training has brought: the old model against the new one, to keep or to discard."""

from collections.abc import Mapping

import napari
from qtpy.QtCore import Signal

from napari_veinseg.training.events import RunStatus
from napari_veinseg.widgets.common.collapsible import FoldedSentences
from napari_veinseg.widgets.common.form import Hint, Section, button, clock
from napari_veinseg.widgets.common.result_views import FigureTable
from napari_veinseg.widgets.train.both_masks import BothMasksView
from napari_veinseg.widgets.train.verdict import Verdict, judge
from napari_veinseg.wording import counted

LOOK = "Show both masks"


class ComparisonTable(Section):
    """A verdict, the held-out images, both models' masks on any of them.

    Its foot has the two buttons that end it.
    """

    asked_for = Signal(str)
    """Both models' masks of an image are wanted; carries its name in the dataset."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__("Old against new")
        self.headline, self.advice = Hint(), Hint()
        self.headline.setProperty("role", "verdict")
        self.details = FoldedSentences("Details", "Show the means, and what weakens them.")
        self.table = FigureTable("Old against new", ["Held-out image", "Old", "New"], 6)
        self.keep = button("Keep", "Install the new model under its name.")
        self.discard = button("Discard", "Forget the new model; the old one is as it was.")
        self.look = button(LOOK, "Open the chosen image, or the worst, with what both models draw.")
        self.masks = BothMasksView(viewer)
        self._stems: list[str] = []
        self._worst = 0
        self.verdict = Verdict("", "", "", ())
        """What was said of the run that was shown last."""
        self.add_wide(self.headline)
        self.add_wide(self.table, "Vein IoU of each held-out image, which no model learned from.")
        self.add_wide(self.advice)
        self.add_wide(self.details)
        self.add_wide(self.look)
        self.add_wide(self.masks)
        self.foot = Section("")
        self.foot.add_buttons(self.discard, self.keep)
        self.foot.hide()
        self.look.clicked.connect(self._ask)
        self.table.chosen.connect(self._ask_for_row)

    def show_result(self, status: RunStatus, old_name: str, sources: Mapping[str, str]) -> None:
        """Fill the table; `sources` says where the dataset's masks came from, by stem."""
        rows = status.comparison()
        self._stems = [stem for stem, _, _ in rows] or list(sources)
        self.masks.close_opened()
        self.table.setVisible(bool(rows))
        self.table.fill(rows)
        self._worst = min(range(len(rows)), key=lambda row: rows[row][2], default=0)
        verdict = self.verdict = judge(status, old_name, sources)
        self.headline.setText(verdict.headline)
        self.advice.say(verdict.advice)
        number = len(verdict.caveats)
        title = f"Details, {counted(number, 'caveat')}" if number else "Details"
        said = [each for each in (verdict.figures, *verdict.caveats) if each]
        self.details.show_sentences(title, said)
        self.keep.setText("Keep anyway" if status.base_is_best else "Keep")
        self.foot.show()

    def show_kept(self, name: str) -> None:
        """Leave the figures in sight once the model is installed."""
        self.headline.setText(f"Kept as '{name}' at {clock()}. {self.headline.text()}")
        self.foot.hide()

    def _ask_for_row(self, row: int) -> None:
        self.asked_for.emit(self._stems[row])

    def _ask(self) -> None:
        """Ask for the chosen image, else for the one on which the new model is worst."""
        row = self.table.chosen_number()
        if self._stems:
            self.asked_for.emit(self._stems[self._worst if row is None else row])
