"""The common look of the plugin's docks: sections, rows with a tooltip each, one main button."""

import re
import time
import weakref
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_veinseg.widgets.common.notify import reported


class Section(QWidget):
    """Rows under one heading: a label left, its control right."""

    def __init__(self, title: str) -> None:
        super().__init__()
        layout = column(self)
        if title:
            heading = QLabel(title)
            heading.setProperty("role", "heading")
            layout.addWidget(heading)
        self._fields: dict[QWidget, QWidget] = {}  # what stands in a control's row
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(8)
        self._form.setVerticalSpacing(6)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addLayout(self._form)

    def add_row(
        self, label: str, control: QWidget, tooltip: str, beside: QWidget | None = None
    ) -> QLabel:
        """Append a control with its label."""
        name = QLabel(label)
        name.setBuddy(control)
        name.setMinimumWidth(100)  # one column over all sections
        explain(name, tooltip)
        explain(control, tooltip)
        control.setAccessibleName(label)
        field = control if beside is None else QWidget()
        if beside is not None:
            field.setLayout(row(control, beside))
        self._form.addRow(name, field)
        self._fields[control] = field
        return name

    def add_wide(self, control: QWidget, tooltip: str = "") -> None:
        """Append a control across the section."""
        if tooltip:
            explain(control, tooltip)
        if isinstance(control, Hint):
            control.whole = True
        self._form.addRow(control)

    def add_buttons(self, *buttons: QWidget) -> None:
        """Append controls beside each other, of equal width."""
        self._form.addRow(row(*buttons, stretch=[1] * len(buttons)))

    def set_row_visible(self, control: QWidget, visible: bool) -> None:
        """Show or hide a control together with its label."""
        self._form.setRowVisible(self._fields[control], visible)


def column(
    parent: QWidget,
    *widgets: QWidget,
    spacing: int = 6,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> QVBoxLayout:
    """Lay a widget out as a column, without margins unless they are asked for."""
    layout = QVBoxLayout(parent)
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    return layout


def row(
    *widgets: QWidget,
    stretch: Sequence[int] = (1,),
    spacing: int = 6,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> QHBoxLayout:
    """Put controls beside each other; the first takes what room is left, or as `stretch` says."""
    layout = QHBoxLayout()
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for widget, share in zip_longest(widgets, stretch, fillvalue=0):
        layout.addWidget(widget, share)
    return layout


def button(
    text: str, tooltip: str, *, primary: bool = False, checkable: bool = False
) -> QPushButton:
    """Make a button; the primary one, at most one in a dock, stands out."""
    made = QPushButton(text, checkable=checkable)
    explain(made, tooltip)
    if primary:
        set_primary(made, True)
    return made


def set_primary(made: QPushButton, primary: bool) -> None:
    """Let a button stand out as what is pressed next, or no longer."""
    made.setProperty("role", "primary" if primary else "")
    made.style().unpolish(made)  # Qt looks for the rules of a property only then
    made.style().polish(made)


class Hint(QLabel):
    """Quieter text that wraps, in a path or a long name, too; in a section as high as its lines."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.whole = False  # layouts in layouts give wrapped text too little height: it asks itself
        self.setWordWrap(True)
        self.setProperty("role", "hint")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.setText(text)

    def text(self) -> str:
        """Return what is said."""
        return self._text

    def clear(self) -> None:
        """Say nothing."""
        self.setText("")

    def say(self, text: str) -> None:
        """Show another text; an empty one takes no room."""
        self.setText(text)
        set_shown(self, bool(text))

    def setText(self, text: str | None) -> None:  # noqa: N802  (Qt's name)
        """Show another text."""
        self._text = text or ""
        super().setText(re.sub(r"\S{25,}", _breakable, self._text))
        self._fit()

    def resizeEvent(self, event: Any) -> None:  # noqa: N802  (Qt's name)
        """Ask for the height that the new width needs."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self.whole:  # not more either: that would be taken from other rows
            self.setMinimumHeight(0)  # Qt never answers less than this: it could only grow
            self.setFixedHeight(max(0, self.heightForWidth(self.width())) if self.text() else 0)


def _breakable(word: re.Match[str]) -> str:
    """Let a long word go on in the next line: Qt breaks it nowhere, and widens the dock."""
    return re.sub(r"[/\\_.-]+|[^/\\_.-]{16}", "\\g<0>\u200b", word[0])  # a space without width


def set_shown(part: QWidget, shown: bool) -> None:
    """Show or hide a part of a dock; one that has no place there yet would come as a window."""
    if part.parent() is not None or not shown:
        part.setVisible(shown)


def clock() -> str:
    """Say when: results stay in sight while other images and models come."""
    return time.strftime("%H:%M")


def connect_while_alive(
    widget: QObject, emitter: Any, callback: Any, position: str = "first"
) -> None:
    """Connect to a napari event until the widget is deleted.

    napari only knows that a Python object is gone, not that Qt has deleted its widget.  An error
    in the callback is told and goes no further: napari's other listeners must hear the event.
    """
    listener = _Listener(emitter, callback)
    emitter.connect(listener, position=position)
    widget.destroyed.connect(listener.leave)


class _Listener:
    """What listens for a widget, and leaves with it.

    Qt is given a method, for it holds that weakly.  A function would be garbage together with its
    widget; collected in a worker's thread, it is emptied at once, but the widget is deleted later,
    in Qt's thread, where calling what is left is a segmentation fault.
    """

    def __init__(self, emitter: Any, callback: Any) -> None:
        self._emitter = emitter
        self._callback = weakref.WeakMethod(callback)

    def __call__(self, event: object) -> None:
        callback = self._callback()
        if callback is not None:
            with reported("Following the viewer", None):
                callback(event)

    def leave(self) -> None:
        """Hear no more."""
        self._emitter.disconnect(self)


def fit_rows(view: QListWidget, most: int) -> None:
    """Make a list as high as its rows; beyond `most` it scrolls."""
    row = view.sizeHintForRow(0) if view.count() else view.fontMetrics().height()
    view.setFixedHeight(row * min(max(view.count(), 1), most) + 2 * view.frameWidth() + 4)


def explain(control: QWidget, tooltip: str) -> None:
    """Say what a control does, to whoever points at it and to a screen reader."""
    if not tooltip:
        raise ValueError("every control has a tooltip")
    control.setToolTip(tooltip)
    control.setAccessibleDescription(tooltip)
