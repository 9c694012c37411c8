"""Inputs that several docks have: a folder, how an image is read, and controls that sit still."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, QRect, Qt, Signal
from qtpy.QtGui import QPaintEvent, QPalette
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QScrollBar,
    QStyle,
    QStyleOptionFrame,
    QStylePainter,
    QWidget,
)

from napari_veinseg.data.grey import CHANNELS
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common.form import Section, button


class FolderField(QLineEdit):
    """A folder that is typed or chosen in a dialog by the button beside it."""

    chosen = Signal()
    """The user has chosen or typed a folder."""

    def __init__(self, dialog_title: str, browse_tooltip: str) -> None:
        super().__init__()
        self._dialog_title = dialog_title
        self.setPlaceholderText("choose a folder")
        self.browse = button("Choose…", browse_tooltip)
        self.browse.clicked.connect(self._browse)
        self.editingFinished.connect(self.chosen)
        self.textChanged.connect(self._name_in_tooltip)

    def drawn_text(self) -> str:
        """Return what fits; the end of a path says most."""
        room = self._place().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideLeft, room)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Draw what fits, until it is typed in."""
        text = self.drawn_text()
        if self.hasFocus() or text == self.text():
            super().paintEvent(event)
            return
        painter, option = QStylePainter(self), QStyleOptionFrame()
        self.initStyleOption(option)
        painter.drawPrimitive(QStyle.PrimitiveElement.PE_PanelLineEdit, option)
        middle, role = Qt.AlignmentFlag.AlignVCenter, QPalette.ColorRole.Text
        self.style().drawItemText(
            painter, self._place(), middle, self.palette(), self.isEnabled(), text, role
        )

    def _place(self) -> QRect:
        option = QStyleOptionFrame()
        self.initStyleOption(option)
        contents = QStyle.SubElement.SE_LineEditContents
        inside = self.style().subElementRect(contents, option, self)
        return inside.adjusted(2, 0, -2, 0)  # as Qt draws it

    def _name_in_tooltip(self, text: str) -> None:
        self.setToolTip("\n".join(each for each in (text, self.accessibleDescription()) if each))

    def path(self) -> Path | None:
        """Return the folder, which need not exist; None when none is chosen."""
        text = self.text().strip()
        return Path(text).expanduser() if text else None

    def ask(self) -> bool:
        """Open the dialog; say whether a folder was chosen."""
        folder = QFileDialog.getExistingDirectory(self, self._dialog_title, self.text())
        if folder:
            self.setText(folder)
        return bool(folder)

    def _browse(self) -> None:
        if self.ask():
            self.chosen.emit()

    def add_to(self, section: Section, label: str, tooltip: str) -> None:
        """Append the field and its button to a section."""
        section.add_row(label, self, tooltip, self.browse)


class ImageOptions(QObject):
    """How an image is read: which channel, and whether its veins are bright."""

    changed = Signal()

    def __init__(self, section: Section, channel_tooltip: str) -> None:
        super().__init__(section)
        self.section = section
        self.channel = QComboBox()
        self.channel.addItems(CHANNELS)
        self.invert = QCheckBox("Veins are brighter than their surroundings")
        section.add_row("Channel", self.channel, channel_tooltip)
        section.add_wide(self.invert, "Tick this for images with bright veins on a dark ground.")
        self.channel.currentTextChanged.connect(lambda _text: self.changed.emit())
        self.invert.toggled.connect(lambda _on: self.changed.emit())

    def settings(self, **others: Any) -> SegmentationSettings:
        """Return how to read an image, with other settings by name."""
        channel, invert = self.channel.currentText(), self.invert.isChecked()
        return SegmentationSettings(channel=channel, invert=invert, **others)

    def follow(self, other: "ImageOptions") -> None:
        """Take over what another dock's options say, now and whenever they change."""

        def copy() -> None:
            self.channel.setCurrentText(other.channel.currentText())
            self.invert.setChecked(other.invert.isChecked())

        other.changed.connect(copy)
        copy()

    def set_visible(self, visible: bool) -> None:
        """Show or hide both rows."""
        self.section.set_row_visible(self.channel, visible)
        self.invert.setVisible(visible)


class WheelGuard(QObject):
    """Lets the wheel scroll the dock: only a control that has the focus takes it for itself."""

    def guard(self, panel: QWidget) -> None:
        """Watch all controls of a panel that a wheel would change."""
        for kind in (QComboBox, QAbstractSpinBox, QAbstractSlider):
            for control in panel.findChildren(kind):
                if not isinstance(control, QScrollBar):
                    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                    control.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Pass the wheel on to what scrolls."""
        unfocused = isinstance(watched, QWidget) and not watched.hasFocus()
        if event is not None and event.type() == QEvent.Type.Wheel and unfocused:
            event.ignore()
            return True
        return super().eventFilter(watched, event)
