"""Validation on the hold-out, on the very path that a user's images take."""

from collections.abc import Callable, Sequence

from napari_veinseg.data.sample import Pair
from napari_veinseg.errors import Cancelled
from napari_veinseg.evaluation.metrics import class_ious
from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel


class Validator:
    """The hold-out, on one device, read as `settings` says."""

    def __init__(self, pairs: Sequence[Pair], settings: SegmentationSettings, device: str) -> None:
        self._pairs, self._settings, self._device = pairs, settings, device

    def compute_vein_ious(
        self, card: ModelCard, network: SegmentationNetwork, stop: Callable[[], bool]
    ) -> dict[str, float] | None:
        """Compute the vein IoU of every image, by stem; None when asked to stop."""
        model = VeinModel(card, network, self._device)
        try:
            return {
                pair.sample.stem: class_ious(
                    model.segment(pair.image, self._settings, cancelled=stop), pair.mask
                )[1]
                for pair in self._pairs
            }
        except Cancelled:
            return None
