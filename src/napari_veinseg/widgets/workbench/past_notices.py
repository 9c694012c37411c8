"""What was told since the program began, to be read again and copied: notices go by."""

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QWidget

from napari_veinseg.widgets.common.form import column
from napari_veinseg.widgets.common.notify import past_notices

_NOTHING = "Nothing was told yet."


class PastNotices(QDialog):
    """A list of notices, the latest first."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Notices")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Notices")
        told = [f"{each.time}  {each.kind}: {each.text}" for each in reversed(past_notices)]
        self.text.setPlainText("\n\n".join(told) or _NOTHING)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column(self, self.text, buttons, margins=(10, 10, 10, 10))
        self.resize(560, 360)
