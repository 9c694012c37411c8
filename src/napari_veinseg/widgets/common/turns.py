"""Work on the viewer piece by piece, so that it is never held for long."""

from collections.abc import Iterator

from qtpy.QtCore import QObject, QTimer, Signal

from napari_veinseg.widgets.common.notify import caught

_BREATH = 20  # ms between two turns, in which what the first one added is drawn


class Turns(QObject):
    """Does one piece in each turn of the event loop."""

    ended = Signal()
    """There is no more to do."""

    def __init__(self, doing: str, parent: QObject) -> None:
        super().__init__(parent)
        self._doing = doing
        self._pieces: Iterator[None] | None = None
        self._breath = QTimer(self, singleShot=True, interval=_BREATH)
        # Not in the same turn as the drawing, which also waits for a timer.
        self._next = QTimer(self, singleShot=True, interval=0)
        self._breath.timeout.connect(self._next.start)
        self._next.timeout.connect(self._take)

    @property
    def running(self) -> bool:
        """Whether there is more to do."""
        return self._pieces is not None

    def begin(self, pieces: Iterator[None]) -> None:
        """Do the first piece now, as far as the iterator yields, and the others in turn."""
        self._pieces = pieces
        self._take()

    def finish(self) -> None:
        """Do all that is left at once."""
        with caught(self._doing, self.parent()):
            for _ in self._pieces or ():
                pass
        self.stop()

    def stop(self) -> None:
        """Do no more."""
        self._pieces = None

    def _take(self) -> None:
        pieces = self._pieces
        with caught(self._doing, self.parent()):
            for _ in pieces or ():
                self._breath.start()
                return
        if pieces is not None and pieces is self._pieces:  # else stopped, or others were begun
            self._pieces = None
            self.ended.emit()
