"""A model that takes an image and gives the vein probability or the mask."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import MaskStack, ProbabilityStack
from napari_veinseg.errors import Cancelled, VeinSegWarning
from napari_veinseg.segmentation.loaded_model import LoadedModel
from napari_veinseg.segmentation.masks import drop_small, mask_from_probability
from napari_veinseg.segmentation.settings import ResolvedSettings, SegmentationSettings
from napari_veinseg.segmentation.tiling.image_source import ImageSource
from napari_veinseg.segmentation.tiling.predict_parts import Progress, predict_parts
from napari_veinseg.segmentation.vein_width_from_network import MeasuredWidth, measure_source_width

_USUAL = SegmentationSettings()


@dataclass(frozen=True)
class Prediction:
    """What a model says of an image."""

    probability: ProbabilityStack
    mask: MaskStack
    settings: ResolvedSettings
    """The vein width, threshold and smallest component that were used."""


class VeinModel(LoadedModel):
    """A network with its card, ready on a device (see `devices.choose_device`) to segment images.

    Examples
    --------
    >>> from napari_veinseg import VeinModel
    >>> mask = VeinModel.load("starter").segment(image)  # doctest: +SKIP
    """

    def vein_width(
        self, image: Any, settings: SegmentationSettings = _USUAL, **changes: Any
    ) -> float:
        """Measure the vein width to tell this model of an image: 3/4 of what it draws, in px.

        See `probability` for the arguments, of which channel and inversion count here.  It is the
        model's working width where the image is constant.  How wide the veins of a mask are,
        `measurement.measure` says: they can be drawn wider than told, or narrower.
        """
        return self._measured(_source(image, replace(settings, **changes))).width

    def _measured(
        self, source: ImageSource, cancelled: Callable[[], bool] | None = None
    ) -> MeasuredWidth:

        def look(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
            if cancelled and cancelled():
                raise Cancelled("The segmentation was cancelled.")
            return self.runtime(tiles)

        return measure_source_width(
            source,
            self.card.normalisation.percentiles,
            look,
            self.card.working_vein_width,
            self.runtime.geometry.padded_side,
        )

    def resolve(
        self,
        settings: SegmentationSettings,
        image: Any,
        cancelled: Callable[[], bool] | None = None,
    ) -> ResolvedSettings:
        """Put numbers in the place of what is left to the model or the image, see `probability`."""
        source = _source(image, settings)
        if settings.vein_width:
            remark = settings.remark if isinstance(settings, ResolvedSettings) else ""
            return settings.resolved(settings.vein_width, self.card.threshold, remark)
        measured = self._measured(source, cancelled)
        return settings.resolved(measured.width, self.card.threshold, measured.remark)

    def predict(
        self,
        image: Any,
        settings: SegmentationSettings = _USUAL,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        **changes: Any,
    ) -> Prediction:
        """Predict probability and mask of an image, with the numbers that were used.

        See `probability` for the arguments, and for what it raises.
        """
        settings = replace(settings, **changes)
        source = _source(image, settings)  # its grey values are made once
        resolved = self.resolve(settings, source, cancelled)
        probability = self.probability(source, resolved, progress=progress, cancelled=cancelled)
        mask = mask_from_probability(probability, resolved.threshold, resolved.min_size)
        if not isinstance(settings, ResolvedSettings):
            _tell(resolved, not mask.any())
        return Prediction(probability, mask, resolved)

    def probability(
        self,
        image: Any,
        settings: SegmentationSettings = _USUAL,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        **changes: Any,
    ) -> ProbabilityStack:
        """Predict for each pixel how likely it is vein, in the mean over the card's scales.

        It is zero where a slice is constant.

        Parameters
        ----------
        image : array_like
            `(Y, X)` or `(N, Y, X)`, or either with 3 or 4 colours as the last axis, of any real
            type and range; Dask and zarr arrays are read slice by slice.  Sides of 8 px or more.
            An `ImageSource` is taken with the channel, inversion and region it was made with.
        settings : SegmentationSettings, optional
            Vein width, channel and inversion count here.
        progress : callable, optional
            Called with the number of tiles done and of all, each as often as the card has scales.
        cancelled : callable, optional
            Asked between tiles, and between scales, whether to stop.
        **changes : Any
            Fields of `settings` by name, for instance `vein_width=6`.

        Raises
        ------
        VeinSegError
            If the image or a setting cannot be used.
        Cancelled
            If `cancelled` said so.
        """
        settings = replace(settings, **changes)
        source = _source(image, settings)
        answer = np.zeros(source.whole_shape, np.float32)
        width = self.resolve(settings, source, cancelled).vein_width
        for where, part in self._parts(source, width, progress, cancelled):
            answer[where] = part
        return answer

    def segment(
        self,
        image: Any,
        settings: SegmentationSettings = _USUAL,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        out: Any = None,
        **changes: Any,
    ) -> MaskStack:
        """Segment the veins of an image.

        Parameters
        ----------
        image : array_like
            See `probability`, as of `progress` and `cancelled`.
        settings : SegmentationSettings, optional
            See `SegmentationSettings`.
        progress, cancelled : callable, optional
            Told of the tiles, and asked whether to stop.
        out : ndarray of uint8 or masks.StoredMask, optional
            Where to write the mask, all background; a new array by default.
        **changes : Any
            Fields of `settings` by name, for instance `threshold=0.4`.

        Raises
        ------
        VeinSegError
            If the image or a setting cannot be used.
        Cancelled
            If `cancelled` said so.
        """
        settings = replace(settings, **changes)
        source = _source(image, settings)
        resolved = self.resolve(settings, source, cancelled)
        mask: NDArray[np.uint8] = np.zeros(source.whole_shape, np.uint8) if out is None else out
        for where, part in self._parts(source, resolved.vein_width, progress, cancelled):
            mask[where] = (part >= resolved.threshold).view(np.uint8)  # spares the conversion
        drop_small(mask, resolved.min_size)
        if not isinstance(settings, ResolvedSettings):
            _tell(resolved, isinstance(mask, np.ndarray) and not mask.any())
        return mask

    def _parts(
        self, source: ImageSource, width: float, *how: Any
    ) -> Iterator[tuple[tuple[Any, ...], NDArray[np.float32]]]:
        """Give each part's place in the whole image, and its probability, zero beside a region."""
        for where, part in predict_parts(source, width, self.card, self.runtime, *how):
            inside = source.inside(where)
            yield source.place_in_whole(where), part if inside is None else part * inside


def _source(image: Any, settings: SegmentationSettings) -> ImageSource:
    if isinstance(image, ImageSource):
        return image
    return ImageSource(image, settings.channel, settings.invert, settings.region)


def _tell(settings: ResolvedSettings, empty: bool) -> None:
    """Warn of what the user should know of a mask."""
    remark = settings.remark
    if empty and not remark:
        remark = (
            f"No vein was found at a width of {settings.vein_width:.3g} px and a threshold of "
            f"{settings.threshold:.3g}: try another width, a lower threshold or another channel."
        )
    if remark:
        warnings.warn(remark, VeinSegWarning, stacklevel=3)
