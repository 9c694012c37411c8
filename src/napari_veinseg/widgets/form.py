"""The common look of the plugin's docks: sections, rows with a tooltip each, one main button."""

import weakref
from typing import Any

import napari
from qtpy.QtCore import QEvent, QObject, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_veinseg.widgets.notify import reported, watch_callbacks
from napari_veinseg.widgets.style import style_sheet

WIDTH = 340
"""The width in px that every dock must be readable at."""


class Panel(QWidget):
    """A dock of the plugin: its sections scroll, and it knows when the viewer closes.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that it belongs to.
    """

    closing = Signal()
    """The viewer's window is closing, or the panel is being removed."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy that lives no longer than the call and hides the undo
        # history, which mask layers need.
        self._viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        watch_callbacks()
        body = QWidget()
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(10, 8, 10, 8)
        self._layout.setSpacing(10)
        self._layout.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(0, 0, 0, 0)
        self._outer.setSpacing(0)
        self._outer.addWidget(scroll)
        self.setMinimumWidth(WIDTH - 40)
        # The viewer's own window: a dock that floats is a window too, and may be hidden at work.
        self.viewer.window._qt_window.installEventFilter(self)
        connect_while_alive(self, self.viewer.events.theme, self._restyle)
        self._restyle()

    @property
    def viewer(self) -> napari.Viewer:
        """The viewer that the panel belongs to."""
        viewer = self._viewer()
        if viewer is None:
            raise RuntimeError("the viewer of this panel is gone")
        return viewer

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Return the size that the dock opens with.

        Returns
        -------
        QSize
            In px.
        """
        return QSize(WIDTH, 600)

    def add_section(self, title: str) -> "Section":
        """Append a titled section.

        Parameters
        ----------
        title : str
            A few words; empty for a section without a heading.

        Returns
        -------
        Section
            The section, to be filled with rows.
        """
        section = Section(title)
        self.add(section)
        return section

    def add(self, widget: QWidget) -> None:
        """Append a widget across the whole width.

        Parameters
        ----------
        widget : QWidget
            What is appended.
        """
        self._layout.insertWidget(self._layout.count() - 1, widget)

    def add_footer(self, widget: QWidget) -> None:
        """Put a widget below everything that scrolls, so that it is always in sight.

        Parameters
        ----------
        widget : QWidget
            What is put there.
        """
        widget.setContentsMargins(10, 4, 10, 6)
        self._outer.addWidget(widget)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Tell `closing` when the viewer's window has been closed, not when that was refused.

        Parameters
        ----------
        watched : QObject or None
            The viewer's window.
        event : QEvent or None
            Anything that happens to it.

        Returns
        -------
        bool
            False: the event goes on.
        """
        # A window that is closed is hidden by the program; one that is minimised, by the system.
        if event is not None and event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.closing.emit()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent | None) -> bool:
        """Tell `closing` when the panel is taken out of its dock.

        Parameters
        ----------
        event : QEvent or None
            Anything that happens to the panel.

        Returns
        -------
        bool
            What Qt made of it.
        """
        if event is not None and event.type() == QEvent.Type.ParentChange and not self.parent():
            self.closing.emit()
        return super().event(event)

    def _restyle(self, *_event: object) -> None:
        self.setStyleSheet(style_sheet(self.viewer.theme))


class Section(QWidget):
    """Rows under one heading: a label left, its control right.

    Parameters
    ----------
    title : str
        The heading; empty for none.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        if title:
            heading = QLabel(title)
            heading.setProperty("role", "heading")
            layout.addWidget(heading)
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(8)
        self._form.setVerticalSpacing(6)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        layout.addLayout(self._form)

    def add_row(self, label: str, control: QWidget, tooltip: str) -> QLabel:
        """Append a control with its label.

        Parameters
        ----------
        label : str
            One to three words.
        control : QWidget
            The control; it gets the row's name for keyboard and screen reader users.
        tooltip : str
            What it does, and in which unit; mandatory.

        Returns
        -------
        QLabel
            The label.
        """
        name = QLabel(label)
        name.setBuddy(control)
        name.setMinimumWidth(100)  # one column over all sections
        _explain(name, tooltip)
        _explain(control, tooltip)
        control.setAccessibleName(label)
        self._form.addRow(name, control)
        return name

    def add_wide(self, control: QWidget, tooltip: str = "") -> None:
        """Append a control across the section.

        Parameters
        ----------
        control : QWidget
            The control, such as a check box or a button.
        tooltip : str
            What it does; only text that explains itself may go without.
        """
        if tooltip:
            _explain(control, tooltip)
        self._form.addRow(control)

    def add_buttons(self, *buttons: QWidget) -> None:
        """Append controls beside each other, of equal width.

        Parameters
        ----------
        *buttons : QWidget
            The controls, from left to right.
        """
        row = QHBoxLayout()
        row.setSpacing(6)
        for each in buttons:
            row.addWidget(each, 1)
        self._form.addRow(row)

    def set_row_visible(self, control: QWidget, visible: bool) -> None:
        """Show or hide a control together with its label.

        Parameters
        ----------
        control : QWidget
            A control that was given to `add_row`.
        visible : bool
            Whether the row is shown.
        """
        self._form.setRowVisible(control, visible)


def button(text: str, tooltip: str, *, primary: bool = False) -> QPushButton:
    """Make a button; the primary one, at most one in a dock, stands out.

    Parameters
    ----------
    text : str
        What a press does.
    tooltip : str
        The same in a sentence, with its key if it has one.
    primary : bool
        Whether it is the dock's main button.

    Returns
    -------
    QPushButton
        The button.
    """
    made = QPushButton(text)
    _explain(made, tooltip)
    if primary:
        made.setProperty("role", "primary")
    return made


def hint(text: str = "") -> QLabel:
    """Make a line of quieter text that wraps.

    Parameters
    ----------
    text : str
        What it says.

    Returns
    -------
    QLabel
        The line.
    """
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("role", "hint")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label


def connect_while_alive(widget: QWidget, emitter: Any, callback: Any) -> None:
    """Connect to a napari event until the widget is deleted.

    napari only knows that a Python object is gone, not that Qt has deleted its widget.  An error
    in the callback is told and goes no further: napari's other listeners must hear the event.

    Parameters
    ----------
    widget : QWidget
        The widget whose life counts.
    emitter : napari event emitter
        The event.
    callback : callable
        A method of the widget, called with the event.
    """
    method = weakref.WeakMethod(callback)

    def guarded(event: object) -> None:
        called = method()
        if called is not None:
            with reported("Following the viewer"):
                called(event)

    emitter.connect(guarded)
    widget.destroyed.connect(lambda *_: emitter.disconnect(guarded))


def _explain(control: QWidget, tooltip: str) -> None:
    if not tooltip:
        raise ValueError("every control has a tooltip")
    control.setToolTip(tooltip)
    control.setAccessibleDescription(tooltip)
