"""Sections under a heading that a click opens and closes."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QToolButton, QWidget

from napari_veinseg.widgets.common.form import Hint, column, explain


class Fold(QWidget):
    """Closed at first: what is needed less often takes no room."""

    def __init__(self, title: str, tooltip: str, *sections: QWidget) -> None:
        super().__init__()
        self.heading = QToolButton()
        self.heading.setText(title)
        explain(self.heading, tooltip)
        self.heading.setCheckable(True)
        self.heading.setAutoRaise(True)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setProperty("role", "fold")
        self.heading.toggled.connect(self._show)
        self._sections = sections
        column(self, self.heading, *sections)
        self._show(False)

    def _show(self, opened: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        self.heading.setArrowType(arrow)
        for section in self._sections:
            section.setVisible(opened)


class FoldedSentences(Fold):
    """Sentences that a heading counts and a click shows."""

    def __init__(self, title: str, tooltip: str) -> None:
        self.said = Hint()
        self.said.whole = True
        super().__init__(title, tooltip, self.said)

    def show_sentences(self, title: str, sentences: Sequence[str]) -> None:
        """Show other sentences under another heading; without any it takes no room."""
        self.heading.setText(title)
        self.said.setText("\n\n".join(sentences))
        self.setVisible(bool(sentences))
