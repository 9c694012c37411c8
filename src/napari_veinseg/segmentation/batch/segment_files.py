"""Folders of images: every file is read, segmented and written on its own.

`plan_files` refuses what cannot go well before any work; `segment_file` does one image and never
raises for a bad file; `segment_planned_files` does many, with reading and writing beside the
network; `segment_files` does them here, `cluster.segment_files_on` on the workers of a cluster.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.images import read_image, write_mask, write_probability
from napari_veinseg.data.labels import VEIN
from napari_veinseg.data.ome_labels import new_labels, strips
from napari_veinseg.data.ome_zarr import OmeZarrImage, is_zarr
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.segmentation.batch.plan_files import FilePlan, plan_files
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow, collect, open_output
from napari_veinseg.segmentation.settings import ResolvedSettings, SegmentationSettings
from napari_veinseg.segmentation.tiling.image_source import ImageSource

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

T = TypeVar("T")

_READ_AHEAD = 2
_LARGE = 4_000_000  # values: from here on an image has work for all cores


@dataclass(frozen=True)
class _Image:
    pixels: ImageSource
    settings: ResolvedSettings  # with the vein width of these pixels


@dataclass(frozen=True)
class _Segmented:
    vein_width: float
    probability: npt.NDArray[np.float32] | None
    mask: npt.NDArray[np.uint8]
    seconds: float


def segment_files(
    inputs: Iterable[str | Path],
    output: str | Path,
    model: "VeinModel",
    settings: SegmentationSettings,
    *,
    probability: bool = False,
    overwrite: bool = False,
    report: Callable[[SummaryRow, int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    at_once: int = 4,
) -> list[SummaryRow]:
    """Segment images into a folder, and write what became of each to `summary.csv` there.

    Parameters
    ----------
    inputs : iterable of str or Path
        Images, or folders whose images are meant.
    output : str or Path
        The folder for the results, made if needed; never one that holds inputs.
    model : VeinModel
        What segments.
    settings : SegmentationSettings
        How.
    probability : bool, optional
        Also write the probabilities, as `STEM_probability.tif`.
    overwrite : bool, optional
        Make results anew that are there already; else they are kept.
    report : callable, optional
        Called with each row, the number of rows so far and of all; it may raise `Cancelled`.
    cancelled : callable, optional
        Asked between the tiles of an image whether to stop.
    at_once : int, optional
        Small images that share the cores of a CPU, at most; 1 is kinder to a viewer beside.

    Returns
    -------
    list of SummaryRow
        One row an image, in the order of the inputs; a bad file fails alone.

    Raises
    ------
    VeinSegError
        If inputs and output do not go together, or the output is not writable, before any work.
    Cancelled
        If `cancelled` said so.
    """
    plans = plan_files(inputs, output, probability)
    known = open_output(plans, output, overwrite)
    rows = segment_planned_files(plans, model, settings, overwrite, cancelled, at_once)
    return collect(plans, rows, output, known, report)


def segment_file(
    plan: FilePlan, model: "VeinModel", settings: SegmentationSettings, overwrite: bool = False
) -> SummaryRow:
    """Read, segment and write one image.

    Parameters
    ----------
    plan : FilePlan
        The image and where its results go; that folder must exist.
    model : VeinModel
        What segments.
    settings : SegmentationSettings
        How.
    overwrite : bool, optional
        Make the results anew if they are there already.

    Returns
    -------
    SummaryRow
        What became of it; a bad file gives a row with an error, not an exception.
    """
    return _write(plan, _predict(plan, _read(plan, model, settings, overwrite), model, settings))


def segment_planned_files(
    plans: Iterable[FilePlan],
    model: "VeinModel",
    settings: SegmentationSettings,
    overwrite: bool = False,
    cancelled: Callable[[], bool] | None = None,
    at_once: int = 1,
) -> Iterator[SummaryRow]:
    """Segment images while the next ones are read and the ones before are written.

    Parameters
    ----------
    plans : iterable of FilePlan
        See `segment_file`, as for the others.
    model : VeinModel
        What segments.
    settings : SegmentationSettings
        How.
    overwrite : bool, optional
        Make results anew that are there already.
    cancelled : callable, optional
        Asked between the tiles of an image whether to stop.
    at_once : int, optional
        Small images that share the cores of a CPU, at most.

    Yields
    ------
    SummaryRow
        What became of each, in order.
    """
    with ThreadPoolExecutor(2, "veinseg-files") as files, model.runtime.lanes(at_once) as lanes:
        reads = ((plan, files.submit(_read, plan, model, settings, overwrite)) for plan in plans)
        predictions = (
            (plan, _begin(lanes, plan, read.result(), model, settings, cancelled))
            for plan, read in _ahead(reads, _READ_AHEAD)
        )
        writes = (
            files.submit(_write, plan, prediction.result())
            for plan, prediction in _ahead(predictions, at_once - 1 if lanes else 0)
        )
        for write in _ahead(writes, 1):
            yield write.result()


def _begin(
    lanes: Executor | None,
    plan: FilePlan,
    image: "_Image | OmeZarrImage | SummaryRow",
    model: "VeinModel",
    *how: Any,
) -> "Future[_Segmented | SummaryRow]":
    """Predict in a lane if there is one; large images one by one, with all cores and here."""
    if lanes and not _is_large(image, model):
        return lanes.submit(_predict, plan, image, model, *how)
    done: Future[_Segmented | SummaryRow] = Future()
    done.set_result(_predict(plan, image, model, *how))
    return done


def _is_large(image: "_Image | OmeZarrImage | SummaryRow", model: "VeinModel") -> bool:
    if not isinstance(image, _Image):
        return isinstance(image, OmeZarrImage)
    factor = model.card.working_vein_width / image.settings.vein_width  # to what the network sees
    return math.prod(image.pixels.shape) * max(1, factor**2) > _LARGE


def _ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """Draw `count` items beyond the one that is handed out, so that their work has begun."""
    drawn: deque[T] = deque()
    try:
        for item in items:
            drawn.append(item)
            if len(drawn) > count:
                yield drawn.popleft()
    except (Cancelled, KeyboardInterrupt):  # what has begun is done, and told
        yield from drawn
        raise
    yield from drawn


# The three steps of an image.  Each hands on its result, or at once the row that ends it.


def _read(
    plan: FilePlan, model: "VeinModel", settings: SegmentationSettings, overwrite: bool
) -> _Image | OmeZarrImage | SummaryRow:
    if plan.finished and not overwrite:
        return SummaryRow(str(plan.source), plan.mask.name, "kept")
    try:
        if is_zarr(plan.source):
            return OmeZarrImage.open(plan.source)
        pixels = ImageSource(read_image(plan.source), settings.channel, settings.invert)
        # The vein width is estimated here, beside the network of the image before.
        return _Image(pixels, model.resolve(settings, pixels))
    except Exception as error:
        return _failed(plan, error)


def _predict(
    plan: FilePlan,
    image: _Image | OmeZarrImage | SummaryRow,
    model: "VeinModel",
    settings: SegmentationSettings,
    cancelled: Callable[[], bool] | None = None,
) -> _Segmented | SummaryRow:
    if isinstance(image, SummaryRow):
        return image
    begin = time.perf_counter()
    try:
        if isinstance(image, OmeZarrImage):  # larger than memory: written while it is predicted
            return _segment_in_blocks(plan, image, model, settings, cancelled)
        pixels, resolved = image.pixels, image.settings
        if plan.probability:
            predicted = model.predict(pixels, resolved, cancelled=cancelled)
            probability, mask = predicted.probability, predicted.mask
        else:  # takes less memory: it never holds the whole probability
            probability, mask = None, model.segment(pixels, resolved, cancelled=cancelled)
    except Cancelled:
        raise
    except Exception as error:
        return _failed(plan, error)
    return _Segmented(resolved.vein_width, probability, mask, time.perf_counter() - begin)


def _segment_in_blocks(
    plan: FilePlan,
    image: OmeZarrImage,
    model: "VeinModel",
    settings: SegmentationSettings,
    cancelled: Callable[[], bool] | None,
) -> SummaryRow:
    begin = time.perf_counter()
    planes = image.planes(settings.channel)
    resolved = model.resolve(settings, planes)
    with new_labels(plan.mask, image) as labels:
        model.segment(planes, resolved, out=labels, cancelled=cancelled)
        veins = sum(
            np.count_nonzero(plane[rows] == VEIN)
            for plane in labels.planes
            for rows in strips(plane)
        )
    slices, height, width = labels.shape if len(labels.shape) == 3 else (1, *labels.shape)
    return SummaryRow(
        str(plan.source),
        plan.mask.name,
        "done",
        slices,
        height,
        width,
        vein_width=resolved.vein_width,
        vein_share=veins / (slices * height * width),
        seconds=time.perf_counter() - begin,
    )


def _write(plan: FilePlan, prediction: _Segmented | SummaryRow) -> SummaryRow:
    if isinstance(prediction, SummaryRow):
        return prediction
    try:
        # The mask last: it says that the image is finished.
        if plan.probability and prediction.probability is not None:
            write_probability(plan.probability, prediction.probability)
        write_mask(plan.mask, prediction.mask)
    except Exception as error:
        return _failed(plan, error)
    mask = prediction.mask
    return SummaryRow(
        str(plan.source),
        plan.mask.name,
        "done",
        slices=mask.shape[0] if mask.ndim == 3 else 1,
        height=mask.shape[-2],
        width=mask.shape[-1],
        vein_width=prediction.vein_width,
        vein_share=np.count_nonzero(mask == VEIN) / mask.size,
        seconds=prediction.seconds,
    )


def _failed(plan: FilePlan, error: Exception) -> SummaryRow:
    sentence = str(error)
    if not isinstance(error, VeinSegError):  # a bug, or the machine: the other files go on
        sentence = f"{type(error).__name__}: {' '.join(sentence.split())}"
    if str(plan.source) not in sentence and str(plan.mask) not in sentence:
        sentence = f"{plan.source}: {sentence}"
    return SummaryRow(str(plan.source), "", "failed", error=sentence)
