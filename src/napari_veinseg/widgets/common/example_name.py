"""A name in which a part is marked by the mouse, as long as it may be."""

from typing import Any

from qtpy.QtCore import QPoint, QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QTextCursor, QTextOption
from qtpy.QtWidgets import QFrame, QSizePolicy, QTextEdit

from napari_veinseg.data.finger_pattern import part_at
from napari_veinseg.widgets.common.style import MAIN_COLOUR

_CLICK = 4  # px that a hand may move within a click
_MARGIN = 3  # px around the text


class ExampleName(QTextEdit):
    """A name that cannot be changed: a click marks a part, a drag marks what it sweeps.

    A name that is longer than the dock is wide goes on in the next line: every part can be seen
    and clicked.  The mark is no selection, which Qt drops and takes as the keyboard comes and goes.
    """

    marked = Signal(int, int)
    """The user has marked a part; carries its start and end."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "example")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        for set_policy in (self.setHorizontalScrollBarPolicy, self.setVerticalScrollBarPolicy):
            set_policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(_MARGIN)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._mark = (0, 0)
        self._before = (0, 0)  # what was marked when the mouse went down
        self._down = QPoint()

    def text(self) -> str:
        """Return the name."""
        return self.toPlainText()

    def show_name(self, name: str) -> None:
        """Show another name, with nothing marked."""
        self.setPlainText(name)
        self.mark(0, 0)

    def mark(self, start: int, end: int) -> None:
        """Show a part as marked, or with an empty one nothing."""
        self._mark = start, end
        shown = QTextEdit.ExtraSelection()
        shown.cursor = self.textCursor()
        shown.cursor.setPosition(start)
        shown.cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        shown.format.setBackground(QColor(*MAIN_COLOUR))
        shown.format.setForeground(QColor("white"))
        self.setExtraSelections([shown] if start < end else [])

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Remember where it began."""
        if event is not None:
            self._before, self._down = self._mark, event.pos()
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Take the part that was clicked, with Shift up to there, or what was swept over."""
        if event is None:
            return
        super().mouseReleaseEvent(event)
        swept = self.textCursor()
        start, end = swept.selectionStart(), swept.selectionEnd()
        swept.clearSelection()
        self.setTextCursor(swept)
        if (event.pos() - self._down).manhattanLength() < _CLICK:
            start, end = self._part_at(event.pos())
            with_shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            if with_shift and self._before[0] < self._before[1]:
                start, end = min(start, self._before[0]), max(end, self._before[1])
        if start < end:
            self.mark(start, end)
            self.marked.emit(start, end)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Let no name widen the dock."""
        return QSize(40, self.height())

    def _fit(self, *_size: Any) -> None:
        """Be as high as all lines."""
        self.setFixedHeight(round(self.document().size().height()) + 2 * self.frameWidth())

    def _part_at(self, place: QPoint) -> tuple[int, int]:
        gap = self.cursorForPosition(place).position()  # the nearest between two signs
        start, end = part_at(self.text(), gap)
        return (start, end) if start < end else part_at(self.text(), max(0, gap - 1))
