"""Names that may be longer than there is room: they lose their middle when they are drawn.

What is drawn is measured in the font and in the room that it is drawn in: measured before, as
superqt's label does, a style that comes later cuts the last letter.
"""

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontMetrics, QPainter
from qtpy.QtWidgets import (
    QComboBox,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStylePainter,
)


def fitting(name: str, metrics: QFontMetrics, width: int, rest: str = "") -> str:
    """Shorten a name by its middle until it fits, together with what follows it."""
    room = width - metrics.horizontalAdvance(rest)
    return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, max(0, room)) + rest


class NameLabel(QLabel):
    """A name in the width that there is; its tooltip is all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(40)

    def show_name(self, name: str) -> None:
        """Show another name."""
        self.setText(name)
        self.setToolTip(name)

    def drawn_text(self) -> str:
        """Return what fits."""
        return fitting(self.text(), self.fontMetrics(), self.contentsRect().width())

    def paintEvent(self, _event: object) -> None:  # noqa: N802  (Qt's name)
        """Draw what fits."""
        painter, place = QPainter(self), self.contentsRect()
        look = self.alignment(), self.palette(), self.isEnabled()
        text, role = self.drawn_text(), self.foregroundRole()
        self.style().drawItemText(painter, place, *look, text, role)


class NameButton(QPushButton):
    """A button with a name and a figure behind it, in the width that there is."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_name(self, name: str, rest: str = "") -> None:
        """Show another name; what is behind it is always seen."""
        self._rest = rest
        self.setText(name + rest)

    def drawn_text(self) -> str:
        """Return what fits."""
        style, option = self.style(), QStyleOptionButton()
        self.initStyleOption(option)
        room = style.subElementRect(QStyle.SubElement.SE_PushButtonContents, option, self).width()
        if self.menu() is not None:
            arrow = QStyle.PixelMetric.PM_MenuButtonIndicator
            room -= style.pixelMetric(arrow, option, self)
        name = self.text().removesuffix(self._rest)
        return fitting(name, self.fontMetrics(), room, self._rest)

    def paintEvent(self, _event: object) -> None:  # noqa: N802  (Qt's name)
        """Draw what fits."""
        painter, option = QStylePainter(self), QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.drawn_text()
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)


class NameCombo(QComboBox):
    """Takes the width that there is: a long name loses its middle, and its list shows it whole."""

    def __init__(self) -> None:
        super().__init__()
        self.unchosen = ""  # drawn where nothing is; Qt's placeholder would make the dock wider
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, _event: object) -> None:  # noqa: N802  (Qt's name)
        """Draw the name with its beginning and its end: layers often differ in the end."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        place = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        name = option.currentText if self.currentIndex() >= 0 else self.unchosen
        option.currentText = fitting(name, self.fontMetrics(), place.width())
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def showPopup(self) -> None:  # noqa: N802  (Qt's name)
        """Open the list wide enough for the longest name."""
        view = self.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + 24)
        super().showPopup()
