"""The curve that says whether learning helps: how wrong the mask was that each image got."""

from collections.abc import Sequence

from napari_veinseg.widgets.train.curves import SCORE_COLOUR, CurvePlot, EpochCurve

_HEIGHT = 84  # px


class ErrorOnArrivalCurve(CurvePlot):
    """An error for each image, in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(_HEIGHT)
        self.setToolTip(
            "How wrong the mask was that each image got, before you corrected it and before "
            "anything was learned from it: 1 - vein IoU. It falls where learning helps."
        )

    def show_errors(self, errors: Sequence[float]) -> None:
        """Draw other errors."""
        points = dict(enumerate(errors, start=1))
        curve = EpochCurve("Error on arrival", SCORE_COLOUR, points, unit="image", first=1)
        self.show_curves([curve])
