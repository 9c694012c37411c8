"""The curves of a run, drawn by Qt itself while it trains: a redraw takes a millisecond.

Not `evaluation.report.plots`, whose figures stand in a page as well: matplotlib would hold up the
viewer at every epoch, and knows nothing of its theme.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_veinseg.training.events import RunStatus

LOSS_COLOUR = "#e08a2e"
SCORE_COLOUR = "#2f9bd8"  # both have a contrast of at least 3 in the dark and the light theme


@dataclass(frozen=True)
class EpochCurve:
    """One curve with its own axis."""

    title: str
    colour: str
    points: Mapping[int, float]
    level: float | None = None
    unit: str = "epoch"  # what is counted along it
    first: int = 0


def curves_of(status: RunStatus) -> list[EpochCurve]:
    """Return what there is to see of a run."""
    curves = [EpochCurve("Loss in training", LOSS_COLOUR, status.losses)]
    if status.judges:
        title, scores = "Vein IoU of held-out images", status.scores
        curves.append(EpochCurve(title, SCORE_COLOUR, scores, scores.get(0)))
    return curves


class CurvePlot(QWidget):
    """Curves below each other over the same epochs."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: list[EpochCurve] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Curves of the training")

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Return a height for the curves."""
        return QSize(300, 110 * max(1, len(self._curves)))

    def show_curves(self, curves: list[EpochCurve]) -> None:
        """Draw other curves."""
        self._curves = curves
        self.setAccessibleDescription(
            ", ".join(f"{c.title} {_latest(c.points)}" for c in curves if c.points)
        )
        self.updateGeometry()
        self.update()

    def paintEvent(self, _event: object) -> None:  # noqa: N802  (Qt's name)
        """Draw."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        last = max([1, *(epoch for curve in self._curves for epoch in curve.points)])
        height = self.height() / max(1, len(self._curves))
        for row, curve in enumerate(self._curves):
            place = QRectF(0, row * height, self.width(), height)
            _draw(painter, curve, place, text, last)


def _latest(points: Mapping[int, float]) -> str:
    return f"{points[max(points)]:.3f}" if points else ""


def _draw(painter: QPainter, curve: EpochCurve, place: QRectF, text: QColor, last: int) -> None:
    """Draw a curve in its part of the widget, as far as the last epoch of all."""
    quiet, grid = QColor(text), QColor(text)
    quiet.setAlphaF(0.65)
    grid.setAlphaF(0.25)
    metrics = QFontMetricsF(painter.font())
    margin, line = metrics.horizontalAdvance("0.000") + 6, metrics.height()
    title = QRectF(place.left(), place.top() + 2, place.width() - 8, line)
    area = place.adjusted(margin, line + 9, -8, -line - 4)
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.setPen(text)
    painter.drawText(title, left, curve.title)
    painter.drawText(title, right, _latest(curve.points))
    painter.setPen(QPen(grid, 1))
    painter.drawRect(area)
    painter.setPen(quiet)
    if not curve.points:
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"after the first {curve.unit}")
        return
    low, high = _range(curve)
    for value, y in ((high, area.top()), (low, area.bottom())):
        beside = QRectF(0, y - line / 2, area.left() - 4, line)
        painter.drawText(beside, right, f"{value:.2f}")
    below = QRectF(area.left(), area.bottom() + 1, area.width(), line)
    painter.drawText(below, left, f"{curve.unit} {curve.first}")
    painter.drawText(below, right, str(last))
    span = max(1, last - curve.first)

    def at(epoch: float, value: float) -> QPointF:
        across, up = (epoch - curve.first) / span, (value - low) / (high - low)
        return QPointF(area.left() + area.width() * across, area.bottom() - area.height() * up)

    if curve.level is not None:
        painter.setPen(QPen(quiet, 1, Qt.PenStyle.DashLine))
        painter.drawLine(at(curve.first, curve.level), at(curve.first + span, curve.level))
    points = QPolygonF([at(*point) for point in sorted(curve.points.items())])
    painter.setPen(QPen(QColor(curve.colour), 2))
    painter.drawPolyline(points)
    painter.setBrush(QColor(curve.colour))
    painter.drawEllipse(points.last(), 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _range(curve: EpochCurve) -> tuple[float, float]:
    """Give the axis some air, and never no length; a share goes up to 1."""
    values = [*curve.points.values(), *([curve.level] if curve.level is not None else [])]
    low, high = min(values), max(values)
    air = max(0.01, 0.08 * (high - low))
    return max(0.0, low - air), min(high + air, 1.0) if high <= 1 else high + air
