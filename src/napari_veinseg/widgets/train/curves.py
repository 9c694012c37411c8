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
        last = max((max(c.points, default=0) for c in self._curves), default=0)
        height = self.height() / max(1, len(self._curves))
        for row, curve in enumerate(self._curves):
            _Plot(painter, QRectF(0, row * height, self.width(), height), text, last).draw(curve)


def _latest(points: Mapping[int, float]) -> str:
    return f"{points[max(points)]:.3f}" if points else ""


class _Plot:
    """One curve in its part of the widget."""

    def __init__(self, painter: QPainter, place: QRectF, text: QColor, last_epoch: int) -> None:
        self._painter, self._text, self._last = painter, text, max(1, last_epoch)
        self._quiet = QColor(text)
        self._quiet.setAlphaF(0.65)
        metrics = QFontMetricsF(painter.font())
        left, line = metrics.horizontalAdvance("0.000") + 6, metrics.height()
        self._area = place.adjusted(left, line + 9, -8, -line - 4)
        self._title = QRectF(place.left(), place.top() + 2, place.width() - 8, line)
        self._line = line

    def draw(self, curve: EpochCurve) -> None:
        painter, area = self._painter, self._area
        painter.setPen(self._text)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self._title, left, curve.title)
        painter.drawText(self._title, right, _latest(curve.points))
        grid = QColor(self._text)
        grid.setAlphaF(0.25)
        painter.setPen(QPen(grid, 1))
        painter.drawRect(area)
        if not curve.points:
            painter.setPen(self._quiet)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"after the first {curve.unit}")
            return
        low, high = _range(curve)
        painter.setPen(self._quiet)
        for value, y in ((high, area.top()), (low, area.bottom())):
            place = QRectF(0, y - self._line / 2, area.left() - 4, self._line)
            painter.drawText(place, right, f"{value:.2f}")
        below = QRectF(area.left(), area.bottom() + 1, area.width(), self._line)
        painter.drawText(below, left, f"{curve.unit} {curve.first}")
        painter.drawText(below, right, str(self._last))
        if curve.level is not None:
            y = self._y(curve.level, low, high)
            painter.setPen(QPen(self._quiet, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        span = max(1, self._last - curve.first)
        points = QPolygonF(
            [
                QPointF(
                    area.left() + area.width() * (place - curve.first) / span,
                    self._y(value, low, high),
                )
                for place, value in sorted(curve.points.items())
            ]
        )
        painter.setPen(QPen(QColor(curve.colour), 2))
        painter.drawPolyline(points)
        painter.setBrush(QColor(curve.colour))
        painter.drawEllipse(points.last(), 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _y(self, value: float, low: float, high: float) -> float:
        share = (value - low) / (high - low)
        return self._area.bottom() - self._area.height() * share


def _range(curve: EpochCurve) -> tuple[float, float]:
    """Give the axis some air, and never no length; a share goes up to 1."""
    values = [*curve.points.values(), *([curve.level] if curve.level is not None else [])]
    low, high = min(values), max(values)
    air = max(0.01, 0.08 * (high - low))
    return max(0.0, low - air), min(high + air, 1.0) if high <= 1 else high + air
