"""What happened last, in a sentence that stands in the foot of the workbench."""

from qtpy.QtCore import QObject, QTimer, Signal

_READ_IN = 8000  # ms: what is done is told for so long


class LastMessage(QObject):
    """A sentence on the image, until the next one; what was done hides it for some seconds."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.text = self._of_image = ""
        self._done = QTimer(self, singleShot=True, interval=_READ_IN)
        self._done.timeout.connect(self._fall_back)

    @property
    def passing(self) -> bool:
        """Whether it is of what was done, not of the image."""
        return self._done.isActive()

    def show(self, text: str) -> None:
        """Say what is true of the image."""
        self._done.stop()
        self._of_image = text
        self._say(text)

    def tell_done(self, text: str) -> None:
        """Say for some seconds what was done."""
        self._done.start()
        self._say(text)

    def drop_passing(self) -> None:
        """Say no longer what was done: something else is to be seen now."""
        if self.passing:
            self._fall_back()

    def forget(self) -> None:
        """Say nothing; whoever asks for it tells that there is something new to show."""
        self._done.stop()
        self.text = self._of_image = ""

    def _fall_back(self) -> None:
        self.show(self._of_image)

    def _say(self, text: str) -> None:
        self.text = text
        self.changed.emit()
