"""What a training has brought: the old model against the new one, to keep or to discard."""

from collections.abc import Mapping

import napari
from qtpy.QtCore import Signal

from napari_veinseg.data.drawn_by import origin_note
from napari_veinseg.training.events import RunStatus
from napari_veinseg.widgets.common.form import Hint, Section, button, clock
from napari_veinseg.widgets.common.result_views import FigureTable
from napari_veinseg.widgets.train.both_masks import BothMasksView

LOOK = "Show both masks"
_SAME = 0.995  # vein IoU of a model's masks with masks that nobody has corrected
_NOTES = 4  # sentences; a dataset may have as many faults as images


class ComparisonTable(Section):
    """A table of the held-out images, both models' masks on any of them, and two buttons."""

    asked_for = Signal(str)
    """Both models' masks of an image are wanted; carries its name in the dataset."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__("Old against new")
        self.verdict = Hint()
        self.table = FigureTable("Old against new", ["Held-out image", "Old", "New"], 6)
        self.keep = button("Keep", "Install the new model under its name.")
        self.discard = button("Discard", "Forget the new model; the old one is as it was.")
        self.add_wide(self.verdict)
        self.look = button(LOOK, "Open the chosen image, or the worst, with what both models draw.")
        self.masks = BothMasksView(viewer)
        self._stems: list[str] = []
        self._worst = 0
        self.add_wide(self.table, "Vein IoU of each held-out image, which no model learned from.")
        self.add_wide(self.look)
        self.add_wide(self.masks)
        self.add_buttons(self.discard, self.keep)
        self.look.clicked.connect(self._ask)
        self.table.chosen.connect(self._ask_for_row)

    def show_result(self, status: RunStatus, old_name: str, sources: Mapping[str, str]) -> None:
        """Fill the table; `sources` says where the dataset's masks came from, by stem."""
        rows = status.comparison()
        self._stems = [stem for stem, _, _ in rows] or sorted(sources)
        self.masks.close_opened()
        self.table.setVisible(bool(rows))
        self.table.fill(rows)
        self._worst = min(range(len(rows)), key=lambda row: rows[row][2], default=0)
        held_out = [sources.get(stem, "") for stem, _, _ in rows]
        uncorrected = bool(rows) and all(old > _SAME for _, old, _ in rows)
        note = "" if uncorrected else origin_note(held_out, old_name)
        said = [_verdict(status, rows, old_name, uncorrected), note, *notes(status)]
        self.verdict.setText(" ".join(each for each in said if each))
        self.keep.setText("Keep anyway" if status.base_is_best else "Keep")
        self.look.show()
        self._settle(False)

    def show_kept(self, name: str, *, old_is_gone: bool) -> None:
        """Leave the figures in sight once the model is installed."""
        self.look.setHidden(old_is_gone)
        self.verdict.setText(f"Kept as '{name}' at {clock()}. {self.verdict.text()}")
        self._settle(True)

    def _settle(self, settled: bool) -> None:
        self.keep.setVisible(not settled)
        self.discard.setVisible(not settled)

    def _ask_for_row(self, row: int) -> None:
        if not self.look.isHidden():
            self.asked_for.emit(self._stems[row])

    def _ask(self) -> None:
        """Ask for the chosen image, else for the one on which the new model is worst."""
        row = self.table.chosen_number()
        if self._stems:
            self.asked_for.emit(self._stems[self._worst if row is None else row])


def notes(status: RunStatus) -> list[str]:
    """Say what the run left out, and what weakens its figures."""
    said = [*status.start.get("caveats", []), *status.start.get("faults", [])]
    more = len(said) - _NOTES
    return [*said[:_NOTES], *([f"And {more} more such notes: see its log."] if more > 0 else [])]


def _advice(rows: list[tuple[str, float, float]]) -> str:
    """Say what would help most."""
    worst = [stem for stem, _, new in sorted(rows, key=lambda row: row[2])[:2]]
    few = " Few images were held out: a second opinion of the masks is worth more than the figure."
    return (
        f"Review more images like {' and '.join(worst)}, which the new model knows least, or train "
        f"for longer." + (few if len(rows) < 5 else "")
    )


def _verdict(
    status: RunStatus, rows: list[tuple[str, float, float]], old_name: str, uncorrected: bool
) -> str:
    if not rows:
        return "There was no image to judge by: look at the new model's masks before you trust it."
    old, new = (sum(column) / len(rows) for column in list(zip(*rows, strict=True))[1:])
    better = sum(row[2] > row[1] for row in rows)
    text = (
        f"Mean vein IoU: {old:.3f} with '{old_name}', {new:.3f} with the new model "
        f"(epoch {status.offered_epoch}); better on {better} of {len(rows)} images."
    )
    if uncorrected:
        text += (
            f" The true masks are those of '{old_name}' as it drew them, which says nothing about "
            "the new model: correct masks of held-out images, or look at both models' masks."
        )
    elif status.base_is_best:
        text += f" The old model is the better one here. {_advice(rows)}"
    if status.start.get("optimistic"):
        text += " It is not known which images are of one finger: the score may be too good."
    return text
