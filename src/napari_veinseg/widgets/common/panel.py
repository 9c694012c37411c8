"""The frame of every dock: sections that scroll, a foot, the end of the viewer."""

import weakref
from functools import partial

import napari
from qtpy.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QApplication, QFrame, QScrollArea, QWidget

from napari_veinseg.widgets.common.focus import FocusKeeper
from napari_veinseg.widgets.common.form import Section, column, connect_while_alive
from napari_veinseg.widgets.common.inputs import WheelGuard
from napari_veinseg.widgets.common.last_failure import LastFailure
from napari_veinseg.widgets.common.notify import watch_callbacks
from napari_veinseg.widgets.common.opened_files import follow_opened_files
from napari_veinseg.widgets.common.style import style_sheet

WIDTH = 340
"""The width in px that every dock must be readable at."""


class Panel(QWidget):
    """A dock of the plugin: its sections scroll, and it knows when the viewer closes."""

    restyled = Signal()
    closing = Signal()
    """The viewer's window is closing, or the panel is being removed."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy that lives no longer than the call and hides the undo
        # history, which mask layers need.
        self._viewer = weakref.ref(getattr(viewer, "__wrapped__", viewer))
        self.viewer_closed = False
        watch_callbacks()
        follow_opened_files(self.viewer)
        body = QWidget()
        self._layout = column(body, spacing=10, margins=(10, 8, 10, 8))
        self._layout.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        foot = QFrame()
        foot.setProperty("role", "foot")
        self.trouble = LastFailure(foot)
        self._foot = column(foot, self.trouble, spacing=0)
        column(self, scroll, foot, spacing=0)
        self._scroll = scroll
        self.setMinimumWidth(WIDTH - 40)
        # The viewer's own window: a dock that floats is a window too, and may be hidden at work.
        self.viewer.window._qt_window.installEventFilter(self)
        self._wheel_guard = WheelGuard(self)
        self.focus = FocusKeeper(self)
        connect_while_alive(self, self.viewer.events.theme, self._restyle)
        self._restyle()

    @property
    def viewer(self) -> napari.Viewer:
        """The viewer that the panel belongs to."""
        viewer = self._viewer()
        if viewer is None:
            raise RuntimeError("the viewer of this panel is gone")
        return viewer

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Keep the wheel from changing what has no focus."""
        super().showEvent(event)
        self._wheel_guard.guard(self)

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Return the size that the dock opens with."""
        return QSize(WIDTH, 600)

    def add_section(self, title: str) -> Section:
        """Append a titled section."""
        section = Section(title)
        self.add(section)
        return section

    def add(self, widget: QWidget, place: int | None = None) -> None:
        """Put a widget across the whole width, behind all others or at a place among them."""
        last = self._layout.count() - 1  # behind it is what stretches
        self._layout.insertWidget(last if place is None else place, widget)

    def reveal(self, part: QWidget) -> None:
        """Scroll until a part is in sight, from its top; it may have been shown just now."""
        QTimer.singleShot(0, partial(self._scroll_to, part))

    def _scroll_to(self, part: QWidget) -> None:
        body = self._scroll.widget()
        if body is None or not part.isVisibleTo(body):
            return
        if body.layout() is not None:
            body.layout().activate()  # places what was shown or filled just now
        QApplication.sendPostedEvents(body, QEvent.Type.LayoutRequest)
        top = part.mapTo(body, QPoint(0, 0)).y()
        bar, height = self._scroll.verticalScrollBar(), self._scroll.viewport().height()
        if not bar.value() <= top <= top + part.height() <= bar.value() + height:
            bar.setValue(min(top - 8, bar.maximum()))

    def add_footer(self, widget: QWidget) -> None:
        """Put a widget below everything that scrolls: what is pressed next is always in sight."""
        widget.setContentsMargins(10, 4, 10, 4)
        self._foot.addWidget(widget)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Tell `closing` when the viewer's window has been closed, not when that was refused."""
        # A window that is closed is hidden by the program; one that is minimised, by the system.
        if event is not None and event.type() == QEvent.Type.Hide and not event.spontaneous():
            self.viewer_closed = True
            self.closing.emit()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent | None) -> bool:
        """Tell `closing` when the panel is taken out of its dock, and delete it."""
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.closing.emit()
            self.deleteLater()  # napari does not, and the panel would go on to follow layers
        return super().event(event)

    def _restyle(self, *_event: object) -> None:
        self.setStyleSheet(style_sheet(self.viewer.theme))
        self.restyled.emit()
