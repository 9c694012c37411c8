"""What a user chooses for one segmentation."""

import math
from dataclasses import dataclass

from napari_veinseg.data.array_types import Px, Share
from napari_veinseg.data.grey import Channel
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.region import Region


@dataclass(frozen=True)
class SegmentationSettings:
    """How an image becomes a mask."""

    vein_width: float | None = None
    """What the network is told of how wide veins are, in px of the image; None measures it, see
    `vein_width_from_network`."""
    channel: Channel = "auto"
    """What to take from a colour image, see `data.grey.to_grey`."""
    invert: bool = False
    """Whether veins are bright."""
    threshold: float | None = None
    """Probability from which a pixel is vein, in (0, 1); None takes that of the model's card."""
    min_size: int | None = None
    """Smallest component to keep, in px of area; None takes three squared vein widths."""
    region: Region | None = None
    """Where veins are looked for; None is the whole image."""

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

    def resolved(self, vein_width: Px, threshold: Share, remark: str = "") -> "ResolvedSettings":
        """Put numbers, and a remark for the user, in the place of what was left open."""
        width = vein_width if self.vein_width is None else self.vein_width
        filled = {
            "vein_width": width,
            "threshold": threshold if self.threshold is None else self.threshold,
            "min_size": round(3 * width**2) if self.min_size is None else self.min_size,
            "remark": remark,
        }
        return ResolvedSettings(**vars(self) | filled)


@dataclass(frozen=True, kw_only=True)
class ResolvedSettings(SegmentationSettings):
    """Settings in which every number is known, for one image and one model."""

    vein_width: float
    threshold: float
    """Both as in `SegmentationSettings`."""
    min_size: int
    remark: str = ""
    """A sentence for the user where the measured vein width is in doubt, else empty."""
