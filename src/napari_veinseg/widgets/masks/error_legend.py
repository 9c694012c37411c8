"""The legend of the colours in which errors are shown."""

from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from napari_veinseg.evaluation.error_map import COLOURS, NAMES

_COLUMNS = 2


class ErrorLegend(QWidget):
    """A coloured square and its meaning for all that a mask can be right or wrong in."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        for number, kind in enumerate(NAMES):
            square = QFrame()
            square.setFixedSize(12, 12)
            square.setStyleSheet(f"background: {COLOURS[kind]}; border: 1px solid gray;")
            row, column = divmod(number, _COLUMNS)
            grid.addWidget(square, row, 2 * column)
            grid.addWidget(QLabel(NAMES[kind]), row, 2 * column + 1)
        grid.setColumnStretch(2 * _COLUMNS, 1)
        self.setAccessibleName("Colours of the errors")
        self.setAccessibleDescription(", ".join(NAMES.values()))
