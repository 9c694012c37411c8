"""What a training has brought: the old model against the new one, to keep or to discard."""

from napari_veinseg.training.events import RunStatus
from napari_veinseg.widgets.common.form import Section, button, hint
from napari_veinseg.widgets.common.result_views import FigureTable


class ComparisonTable(Section):
    """A table of the held-out images, and two buttons."""

    def __init__(self) -> None:
        super().__init__("Old against new")
        self.verdict = hint()
        self.table = FigureTable("Old against new", ["Held-out image", "Old", "New"], 6)
        self.keep = button("Keep", "Install the new model under its name.")
        self.discard = button("Discard", "Forget the new model; the old one is as it was.")
        self.add_wide(self.verdict)
        self.add_wide(self.table, "Vein IoU of each held-out image, which no model learned from.")
        self.add_buttons(self.discard, self.keep)

    def show_result(self, status: RunStatus, old_name: str) -> None:
        """Fill the table."""
        rows = status.comparison()
        self.table.setVisible(bool(rows))
        self.table.fill(rows)
        self.verdict.setText(_verdict(status, rows, old_name))
        self.keep.setText("Keep anyway" if status.base_is_best else "Keep")


def _advice(rows: list[tuple[str, float, float]]) -> str:
    """Say what would help most."""
    worst = [stem for stem, _, new in sorted(rows, key=lambda row: row[2])[:2]]
    few = " Few images were held out: a second opinion of the masks is worth more than the figure."
    return (
        f"Review more images like {' and '.join(worst)}, which the new model knows least, or train "
        f"for longer." + (few if len(rows) < 5 else "")
    )


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
        text += f" The old model is the better one here. {_advice(rows)}"
    if status.start.get("optimistic"):
        text += " Optimistic: not all fingers are known or apart."
    return text
