"""What a training has brought: the old model against the new one, to keep or to discard."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem

from napari_veinseg.training.events import RunStatus
from napari_veinseg.widgets.form import Section, button, hint


class Outcome(Section):
    """A table of the held-out images, and two buttons."""

    def __init__(self) -> None:
        super().__init__("Old against new")
        self.verdict = hint()
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Held-out image", "Old", "New"])
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.keep = button("Keep", "Install the new model under its name.")
        self.discard = button("Discard", "Forget the new model; the old one is as it was.")
        self.add_wide(self.verdict)
        self.add_wide(self.table, "Vein IoU of each held-out image, which no model learned from.")
        self.add_buttons(self.discard, self.keep)

    def show_result(self, status: RunStatus, old_name: str) -> None:
        """Fill the table.

        Parameters
        ----------
        status : RunStatus
            Of a run that has ended.
        old_name : str
            The model that it started from.
        """
        rows = status.comparison()
        self.table.setVisible(bool(rows))
        self.table.setRowCount(len(rows))
        for number, (stem, *scores) in enumerate(rows):
            self.table.setItem(number, 0, QTableWidgetItem(stem))
            for column, score in enumerate(scores, start=1):
                item = QTableWidgetItem(f"{score:.3f}")
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(number, column, item)
        self.table.setFixedHeight(self._height(len(rows)))
        self.verdict.setText(_verdict(status, rows, old_name))
        self.keep.setEnabled(not status.base_is_best)

    def _height(self, rows: int) -> int:
        row = self.table.verticalHeader().defaultSectionSize()
        return self.table.horizontalHeader().sizeHint().height() + row * min(rows, 6) + 4


def _verdict(status: RunStatus, rows: list[tuple[str, float, float]], old_name: str) -> str:
    if not rows:
        return "There was no image to judge by: look at the new model's masks before you trust it."
    old, new = (sum(column) / len(rows) for column in list(zip(*rows, strict=True))[1:])
    better = sum(row[2] > row[1] for row in rows)
    text = (
        f"Mean vein IoU: {old:.3f} with '{old_name}', {new:.3f} with the new model "
        f"(epoch {status.best_epoch}); better on {better} of {len(rows)} images."
    )
    if status.base_is_best:
        text += " There is nothing to keep: the old model is the better one."
    if status.start.get("optimistic"):
        text += " Optimistic: not all fingers are known or apart."
    return text
