"""What tracing needs of a plane of the image, prepared beside the viewer and kept."""

import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.tracing import Cost, measured_width, path_cost
from napari_veinseg.correction.vein_finder import VeinFinder
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex

_KEPT_PLANES = 4
_NOTHING = object()


@dataclass(frozen=True)
class TracingData:
    """Grey values with dark veins, the cost of a path, and the typical vein width in px."""

    grey: NDArray[np.float32]
    cost: Cost
    vein_width: float
    finder: VeinFinder


@dataclass(frozen=True)
class _Source:
    """The arrays that something was made from; an array that is gone is like no other."""

    plane: PlaneIndex
    invert: bool
    image: Callable[[], Any]
    probability: Callable[[], Any]

    def is_same(self, other: "_Source") -> bool:
        return (
            (self.plane, self.invert) == (other.plane, other.invert)
            and self.image() is other.image()
            and self.probability() is other.probability()
        )


_Kept = OrderedDict[PlaneIndex, tuple[_Source, TracingData]]


class TracingCache(QObject):
    """Prepares and keeps the tracing data of the planes that were last drawn on."""

    ready = Signal()
    """The data of a plane can be had now."""

    def __init__(self, edited_mask: EditedMask, parent: QObject) -> None:
        super().__init__(parent)
        self._mask = edited_mask
        self.job = Job("Preparing to trace", self)
        self._kept: _Kept = OrderedDict()

    def find(self, plane: PlaneIndex) -> TracingData | None:
        """Return what tracing needs, or None while it is being prepared: `ready` tells."""
        source = self._source(plane)
        kept = _look_up(self._kept, source)
        if kept is not None or self.job.running:
            return kept
        read, probability = self._mask.grey_reader(), self._mask.probability(plane)
        threshold = self._mask.threshold()

        def prepare(_reporter: object) -> TracingData:
            grey = read(plane)
            width = find_vein_width(grey, None if probability is None else probability >= threshold)
            cost = path_cost(grey, width, probability)
            return TracingData(grey, cost, width, VeinFinder(grey, width))

        def keep(data: TracingData) -> None:
            self._kept[plane] = (source, data)
            self._kept.move_to_end(plane)
            while len(self._kept) > _KEPT_PLANES:
                self._kept.popitem(last=False)
            self.ready.emit()

        self.job.start(prepare, keep)
        return None

    def vein_width(self, plane: PlaneIndex) -> float:
        """Return the typical vein width of a plane in px."""
        kept = _look_up(self._kept, self._source(plane))
        if kept is not None:
            return kept.vein_width
        return estimate_vein_width(self._mask.grey_reader()(plane))

    def _source(self, plane: PlaneIndex) -> _Source:
        image, probability = self._mask.image_data(), self._mask.find_probability()
        return _Source(plane, self._mask.invert, _reference(image), _reference(probability))


def find_vein_width(grey: NDArray[np.float32], veins: NDArray[Any] | None) -> float:
    """Measure the typical width in px on veins, where there are enough, else on the image."""
    return measured_width(veins) or estimate_vein_width(grey)


def _look_up(kept: _Kept, source: _Source) -> TracingData | None:
    made_from, found = kept.get(source.plane, (None, None))
    return found if made_from is not None and made_from.is_same(source) else None


def _reference(array: Any) -> Callable[[], Any]:
    """Refer to an array without keeping a large image alive, where its kind allows it."""
    if array is None:
        return lambda: _NOTHING
    try:
        return weakref.ref(array)
    except TypeError:  # its kind cannot be referred to
        return lambda: array
