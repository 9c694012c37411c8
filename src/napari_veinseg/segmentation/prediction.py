"""What a model says of an image."""

import warnings
from dataclasses import dataclass

from napari_veinseg.data.array_types import MaskStack, ProbabilityStack
from napari_veinseg.errors import VeinSegWarning
from napari_veinseg.segmentation.settings import ResolvedSettings


@dataclass(frozen=True)
class Prediction:
    """What a model says of an image."""

    probability: ProbabilityStack
    mask: MaskStack
    settings: ResolvedSettings
    """The vein width, threshold and smallest component that were used."""


def tell(settings: ResolvedSettings, empty: bool) -> None:
    """Warn of what the user should know of a mask."""
    remark = settings.remark
    if empty and not remark:
        remark = (
            f"No vein was found at a width of {settings.vein_width:.3g} px and a threshold of "
            f"{settings.threshold:.3g}: try another width, a lower threshold or another channel."
        )
    if remark:
        warnings.warn(remark, VeinSegWarning, stacklevel=3)
