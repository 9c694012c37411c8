"""Folders of images: every file is read, segmented and written on its own.

`plan_files` refuses what cannot go well before any work; `file_steps` does one image and never
raises for a bad file; `segment_planned_files` does many, with reading and writing beside the
network; `segment_files` does them here, `cluster.segment_files_on` on the workers of a cluster.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_veinseg.data.ome_zarr import OmeZarrImage
from napari_veinseg.errors import Cancelled
from napari_veinseg.segmentation.batch.file_steps import FileSteps, ReadImage, SegmentedImage
from napari_veinseg.segmentation.batch.plan_files import (
    USUAL_OPTIONS,
    FilePlan,
    FolderOptions,
    plan_files,
)
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow, collect, open_output
from napari_veinseg.segmentation.settings import SegmentationSettings

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

T = TypeVar("T")

_READ_AHEAD = 2
_LARGE = 4_000_000  # values: from here on an image has work for all cores


def segment_files(
    inputs: Iterable[str | Path],
    output: str | Path,
    model: "VeinModel",
    settings: SegmentationSettings,
    options: FolderOptions = USUAL_OPTIONS,
    *,
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
    options : FolderOptions, optional
        Which images, and what is written and made anew.
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
    plans, known = open_output(plan_files(inputs, output, options), output, options.overwrite)
    steps = FileSteps(model, settings, options, cancelled)
    rows = segment_planned_files(plans, steps, at_once)
    return collect(plans, rows, output, known, report)


def segment_planned_files(
    plans: Iterable[FilePlan], steps: FileSteps, at_once: int = 1
) -> Iterator[SummaryRow]:
    """Segment images while the next ones are read and the ones before are written.

    A bad file gives a row with an error, not an exception.
    """
    lanes_of = steps.model.runtime.lanes
    with ThreadPoolExecutor(2, "veinseg-files") as files, lanes_of(at_once) as lanes:
        reads = ((plan, files.submit(steps.read, plan)) for plan in plans)
        predictions = (
            (plan, _begin(lanes, steps, plan, read.result()))
            for plan, read in _ahead(reads, _READ_AHEAD)
        )
        writes = (
            files.submit(steps.write, plan, prediction.result())
            for plan, prediction in _ahead(predictions, at_once - 1 if lanes else 0)
        )
        for write in _ahead(writes, 1):
            yield write.result()


def _begin(
    lanes: Executor | None, steps: FileSteps, plan: FilePlan, image: ReadImage | SummaryRow
) -> "Future[SegmentedImage | SummaryRow]":
    """Predict in a lane if there is one; large images one by one, with all cores and here."""
    if lanes and not _is_large(image, steps.model):
        return lanes.submit(steps.predict, plan, image)
    done: Future[SegmentedImage | SummaryRow] = Future()
    done.set_result(steps.predict(plan, image))
    return done


def _is_large(image: ReadImage | SummaryRow, model: "VeinModel") -> bool:
    if isinstance(image, SummaryRow):
        return False
    if isinstance(image.pixels, OmeZarrImage):
        return True
    assert image.settings is not None
    width = image.settings.vein_width
    seen = sum((each / width) ** 2 for each in model.card.seen_widths)  # by the network, a pixel
    return bool(math.prod(image.pixels.shape) * max(1, seen) > _LARGE)


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
