"""Where the keyboard goes when the control that has it is disabled or hidden."""

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QApplication, QWidget

_COMES_OR_GOES = (QEvent.Type.EnabledChange, QEvent.Type.Hide)


class FocusKeeper(QObject):
    """Keeps the keyboard from a control that nobody chose.

    Qt hands the focus of a button that goes to whatever comes next, where a second Space presses
    it.  Here the part that holds the button takes it, or the button's counterpart where it has one,
    and gives it back as soon as the button is enabled again.
    """

    def __init__(self, home: QWidget) -> None:
        super().__init__(home)
        self._home = home
        self._watched: QWidget | None = None  # has the focus, or lost it to its home
        self._counterparts: dict[QWidget, QWidget] = {}
        QApplication.instance().focusChanged.connect(self._follow)

    def pair(self, one: QWidget, other: QWidget) -> None:
        """Hand the keyboard from one of two controls to the other, as from Start to Stop."""
        self._counterparts |= {one: other, other: one}

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is not None and old is self._watched and not _is_there(old):
            self._take()
        elif new is not None and new is not self._home:
            self._watch(new if self._home.isAncestorOf(new) else None)

    def _watch(self, control: QWidget | None) -> None:
        if self._watched is not None:
            self._watched.removeEventFilter(self)
            self._watched.destroyed.disconnect(self._forget)
        self._watched = control
        if control is not None:
            control.installEventFilter(self)
            control.destroyed.connect(self._forget)

    def _forget(self) -> None:
        """Let go of a control that is no more, as a row of a list that was filled anew."""
        self._watched = None

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Hear what no change of focus tells: a window in the background, and a return."""
        if isinstance(watched, QWidget) and event is not None and event.type() in _COMES_OR_GOES:
            if _is_there(watched):
                QTimer.singleShot(0, self._hand_on)
            elif watched is self._watched:
                self._take()
        return super().eventFilter(watched, event)

    def _take(self) -> None:
        if self._home.isVisible() and self._home.isEnabled():  # else the whole tab was left
            self._home.setFocus()
            counterpart = self._counterparts.get(self._watched) if self._watched else None
            if counterpart is not None:
                counterpart.installEventFilter(self)
            QTimer.singleShot(0, self._hand_on)  # the counterpart may be enabled after it

    def _hand_on(self) -> None:
        lost = self._watched
        if lost is None or self._home.window().focusWidget() is not self._home:
            return
        for candidate in (lost, self._counterparts.get(lost)):
            if candidate is not None and _is_there(candidate):
                candidate.setFocus()
                self._watch(candidate)  # in the background nothing tells it
                return


def _is_there(control: QWidget) -> bool:
    return control.isEnabled() and control.isVisible()
