"""What went wrong last, in the foot of its dock until it is tried again or taken away."""

from qtpy.QtWidgets import QFrame, QToolButton, QWidget

from napari_veinseg.widgets.common.form import Hint, explain, row

_MOST = 400  # characters that stand in a dock; its tooltip and the list of notices have all


class LastFailure(QFrame):
    """A sentence for whatever failed and was not tried again; the latest is shown."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "trouble")
        self._said: dict[str, str] = {}
        self.label = Hint()
        self.label.whole = True
        self.label.setProperty("role", "")
        self.away = QToolButton()
        self.away.setText("\N{MULTIPLICATION SIGN}")
        self.away.setAccessibleName("Take this away")
        explain(self.away, "Take this sentence away; 'Notices' below keeps it.")
        self.setLayout(row(self.label, self.away, spacing=4, margins=(8, 3, 3, 3)))
        self.away.clicked.connect(self.clear)
        self.hide()

    @property
    def text(self) -> str:
        """What is said; empty when nothing is."""
        return next(reversed(self._said.values()), "")

    def tell(self, doing: str, text: str) -> None:
        """Say why something failed."""
        self._said.pop(doing, None)
        self._said[doing] = text
        self._show()

    def forget(self, doing: str) -> None:
        """Say no longer why something failed: it is tried again, or no longer true."""
        if self._said.pop(doing, None) is not None:
            self._show()

    def clear(self) -> None:
        """Say nothing: something else is looked at now."""
        self._said.clear()
        self._show()

    def _show(self) -> None:
        text = self.text
        short = text if len(text) <= _MOST else f"{text[:_MOST].rstrip()}…"
        # First as wide as it will be: a window that has grown for a narrow text stays so.
        self.resize(self.parentWidget().width(), self.height())
        self.layout().activate()
        self.label.setText(short)
        self.label.setToolTip(text)
        self.setVisible(bool(text))
