"""Quiet text in a place of its own: whatever it says, nothing around it moves."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QSizePolicy

from napari_veinseg.widgets.common.form import Hint


class Message(Hint):
    """Text that wraps within a fixed number of lines; its tooltip always holds all of it."""

    def __init__(self, text: str, lines: int) -> None:
        super().__init__()
        self._lines = lines
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Say something else."""
        self.setText(text)
        self.setToolTip(text)

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Take the height of all lines, whatever is said."""
        height = (self._lines + 1) * self.fontMetrics().lineSpacing()
        return QSize(super().sizeHint().width(), height - self.fontMetrics().descent())

    def minimumSizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Never be squeezed below that."""
        return self.sizeHint()

    def hasHeightForWidth(self) -> bool:  # noqa: N802  (Qt's name)
        """Let no width change the height."""
        return False
