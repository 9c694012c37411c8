"""A combo box for names that may be longer than the dock is wide."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyleOptionComboBox, QStylePainter


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
        option.currentText = self.fontMetrics().elidedText(
            option.currentText if self.currentIndex() >= 0 else self.unchosen,
            Qt.TextElideMode.ElideMiddle,
            place.width(),
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def showPopup(self) -> None:  # noqa: N802  (Qt's name)
        """Open the list wide enough for the longest name."""
        view = self.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + 24)
        super().showPopup()
