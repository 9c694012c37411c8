"""What a user chooses for one segmentation."""

import math
from dataclasses import dataclass

from napari_veinseg.data.grey import Channel
from napari_veinseg.errors import VeinSegError


@dataclass(frozen=True)
class SegmentationSettings:
    """How an image becomes a mask.

    Parameters
    ----------
    vein_width : float or None
        Typical width of a vein in px of the image; None estimates it.
    channel : str or int
        What to take from a colour image, see `data.grey.to_grey`.
    invert : bool
        Whether veins are bright.
    threshold : float or None
        Probability from which a pixel is vein, in (0, 1); None takes that of the model's card.
    min_size : int or None
        Smallest component to keep, in px of area; None takes three squared vein widths.

    Raises
    ------
    VeinSegError
        If a value is out of its range.
    """

    vein_width: float | None = None
    channel: Channel = "luminance"
    invert: bool = False
    threshold: float | None = None
    min_size: int | None = None

    def __post_init__(self) -> None:
        if self.vein_width is not None and not 0.5 <= self.vein_width <= 1000:
            raise VeinSegError(
                f"The vein width {self.vein_width} is out of range: give 0.5 to 1000 px."
            )
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise VeinSegError(
                f"The threshold {self.threshold} is out of range: give a value between 0 and 1."
            )
        if self.min_size is not None and not 0 <= self.min_size < math.inf:
            raise VeinSegError(
                f"The smallest component {self.min_size} is out of range: give 0 px or more."
            )
