"""The results of an evaluation in a dock: sortable tables and plots."""

import io
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QPalette, QPixmap, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QStyle,
    QTableWidget,
    QTableWidgetItem,
)

from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.report.plot_colours import Ink
from napari_veinseg.widgets.common.jobs import Job, Reporter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = str | float | Estimate
_AIR = 8  # px beside a heading
_PLOT_SIZE = (3.7, 3.0)  # inches
_GROUND, _TEXT = QPalette.ColorRole.Window, QPalette.ColorRole.WindowText
_matplotlib = threading.Lock()  # its text and its fonts are not made for several threads


class _Item(QTableWidgetItem):
    """A cell that sorts by its value, not by its text."""

    def __init__(self, value: Cell) -> None:
        figure = value.value if isinstance(value, Estimate) else value
        super().__init__(figure if isinstance(figure, str) else f"{figure:.3f}")
        self.value = figure
        if not isinstance(value, float):
            self.setToolTip(str(value))  # a long name, or a figure with its interval
        if not isinstance(value, str):
            self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return bool(isinstance(other, _Item) and self.value < other.value)  # type: ignore[operator]


class FigureTable(QTableWidget):
    """A table whose numbers sort as numbers; a click tells which row it is."""

    chosen = Signal(int)
    """The number that a clicked row had when the table was filled."""

    def __init__(
        self, name: str, headings: Sequence[str], rows_shown: int, wide_columns: int = 1
    ) -> None:
        super().__init__(0, len(headings))
        self.setAccessibleName(name)
        self._rows_shown = rows_shown
        for column, heading in enumerate(headings):
            name, _, explanation = heading.partition("\n")
            if column >= wide_columns:  # a narrow column of figures leaves room for names
                name = "\n".join(name.rsplit(" ", 1))
            item = QTableWidgetItem(name)
            item.setToolTip(explanation)
            self.setHorizontalHeaderItem(column, item)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names differ at their ends
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(24)
        header = self.horizontalHeader()
        header.setVisible(any(headings))
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._narrow = range(wide_columns, len(headings))
        for column in range(wide_columns):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTabKeyNavigation(False)  # Tab leaves the table, arrows walk in it
        self.cellClicked.connect(self._tell)
        self.cellActivated.connect(self._tell)  # Enter

    def fill(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Show other rows."""
        self.setSortingEnabled(False)  # else rows move while they are filled
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                item = _Item(value)
                item.setData(Qt.ItemDataRole.UserRole, number)
                self.setItem(number, column, item)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)  # in the given order until a heading is clicked
        self._fit_columns()
        self.updateGeometry()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Fit the columns to the dock's font."""
        super().showEvent(event)
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Give figures what they need and names the rest: Qt measures headings far too wide."""
        metrics = self.horizontalHeader().fontMetrics()
        mark = self.style().pixelMetric(QStyle.PixelMetric.PM_HeaderMarkSize)
        for column in self._narrow:
            lines = self.horizontalHeaderItem(column).text().split("\n")
            heading = max(map(metrics.horizontalAdvance, lines)) + mark + _AIR
            self.setColumnWidth(column, max(heading, self.sizeHintForColumn(column)))

    def chosen_number(self) -> int | None:
        """Return the number that the selected row had when the table was filled."""
        chosen = self.selectedItems()
        return chosen[0].data(Qt.ItemDataRole.UserRole) if chosen else None

    def _tell(self, row: int, _column: int) -> None:
        item = self.item(row, 0)
        if item is not None:
            self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Return the size at which as many rows are in sight as were asked for."""
        rows = max(1, min(self.rowCount(), self._rows_shown))
        header = self.horizontalHeader()
        height = 24 * rows + 4 + (0 if header.isHidden() else header.sizeHint().height())
        return QSize(300, height)


class Plot(QLabel):
    """A matplotlib figure as a picture that follows the dock's width and napari's theme."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._drawn = QPixmap()
        self._draw: Callable[[Ink], Figure] | None = None
        self._ink: Ink | None = None
        self._job = Job("Drawing a plot", self, quiet=True)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_figure(self, draw: "Callable[[Ink], Figure]") -> None:
        """Draw a figure beside the viewer, and show it."""
        self._draw, self._ink = draw, None
        self._follow_theme()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw it anew where the dock has other colours."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._follow_theme()

    def _follow_theme(self) -> None:
        palette = self.palette()
        ground, text = (palette.color(each).name() for each in (_GROUND, _TEXT))
        ink = Ink.on(ground, text)
        if self._draw is None or ink == self._ink:
            return
        self._ink = ink
        self._job.abandon()
        self._job.start(partial(_draw_png, self._draw, ink), self._show)

    def _show(self, png: bytes) -> None:
        self._drawn.loadFromData(png)
        self._fit()

    def resizeEvent(self, event: object) -> None:  # noqa: N802  (Qt's name)
        """Draw at the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._drawn.isNull() or self.width() < 10:
            return
        sharpness = self.devicePixelRatioF()
        fitted = self._drawn.scaledToWidth(
            round(self.width() * sharpness), Qt.TransformationMode.SmoothTransformation
        )
        fitted.setDevicePixelRatio(sharpness)
        self.setPixmap(fitted)
        self.setFixedHeight(round(fitted.height() / sharpness))


def _draw_png(draw: "Callable[[Ink], Figure]", ink: Ink, _reporter: Reporter) -> bytes:
    file = io.BytesIO()
    with _matplotlib:
        figure = draw(ink)
        figure.set_size_inches(*_PLOT_SIZE)  # so that its letters are as large as the dock's
        figure.savefig(file, format="png", dpi=200, transparent=True)
    return file.getvalue()
