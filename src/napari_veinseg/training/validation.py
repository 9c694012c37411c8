"""Validation on the hold-out, on the very path that a user's images take."""

from collections.abc import Callable, Sequence

from napari_veinseg.data.sample import Pair
from napari_veinseg.errors import Cancelled
from napari_veinseg.evaluation.metrics import class_ious
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel


def held_out_ious(
    model: VeinModel,
    pairs: Sequence[Pair],
    settings: SegmentationSettings,
    stop: Callable[[], bool],
) -> dict[str, float] | None:
    """Compute the vein IoU of every held-out image, by stem; None when asked to stop."""
    found = {}
    try:
        for pair in pairs:
            mask = model.segment(pair.image, settings, cancelled=stop)
            found[pair.sample.stem] = class_ious(mask, pair.mask)[1]
    except Cancelled:
        return None
    return found
