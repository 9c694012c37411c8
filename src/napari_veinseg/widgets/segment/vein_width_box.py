"""The number that tells how wide veins are, or shows what was measured."""

from qtpy.QtWidgets import QDoubleSpinBox


class VeinWidthBox(QDoubleSpinBox):
    """A width in px; at 0 it is measured in the image, and the first step up starts from there."""

    def __init__(self) -> None:
        super().__init__(maximum=1000, decimals=1, suffix=" px")
        self.show_measured(0.0)

    def show_measured(self, width: float) -> None:
        """Show what was measured, 0 before it was, as long as nobody gives a width."""
        self._measured = width
        self.setSpecialValueText(f"measured: {width:.1f} px" if width else "measured in the image")

    def stepBy(self, steps: int) -> None:  # noqa: N802  (Qt's name)
        """Go on from the measured width when the user takes over."""
        if not self.value() and steps > 0 and self._measured:
            self.setValue(round(self._measured, 1))
        else:
            super().stepBy(steps)
