"""Folders of images: every file is read, segmented and written on its own.

`jobs.plan_jobs` refuses what cannot go well before any work; `segment_file` does one job and never
raises for a bad file, so any engine can map it over the jobs; `segment_files` does them here, with
reading and writing beside the network.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.images import read_image, write_mask, write_probability
from napari_veinseg.data.labels import VEIN
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.files import sweep
from napari_veinseg.segmentation.jobs import (
    FileRow,
    Job,
    make_output_folder,
    plan_jobs,
    write_summary,
)
from napari_veinseg.segmentation.settings import SegmentationSettings

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

T = TypeVar("T")

_READ_AHEAD = 2


@dataclass(frozen=True)
class _Prediction:
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
    report: Callable[[FileRow, int, int], None] | None = None,
) -> list[FileRow]:
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

    Returns
    -------
    list of FileRow
        One row an image, in the order of the inputs; a bad file fails alone.

    Raises
    ------
    VeinSegError
        If inputs and output do not go together (before any work), or the output is not writable.
    """
    jobs = plan_jobs(inputs, output, probability)
    output = make_output_folder(output)
    sweep(output)
    rows: list[FileRow] = []
    try:
        for row in _run(jobs, model, settings, overwrite):
            rows.append(row)
            if report:
                report(row, len(rows), len(jobs))
    finally:  # also what was done before a cancel is told
        write_summary(output / "summary.csv", rows)
    return rows


def segment_file(
    job: Job, model: "VeinModel", settings: SegmentationSettings, overwrite: bool = False
) -> FileRow:
    """Do one job: read, segment, write.

    Parameters
    ----------
    job : Job
        The image and where its results go; that folder must exist.
    model : VeinModel
        What segments.
    settings : SegmentationSettings
        How.
    overwrite : bool, optional
        Make the results anew if they are there already.

    Returns
    -------
    FileRow
        What became of it; a bad file gives a row with an error, not an exception.
    """
    return _write(job, _predict(job, _read(job, overwrite), model, settings))


def _run(
    jobs: Iterable[Job], model: "VeinModel", settings: SegmentationSettings, overwrite: bool
) -> Iterator[FileRow]:
    """Segment one image while the next ones are read and the one before is written."""
    with ThreadPoolExecutor(2, thread_name_prefix="veinseg-files") as pool:
        reads = ((job, pool.submit(_read, job, overwrite)) for job in jobs)
        writes = (
            pool.submit(_write, job, _predict(job, read.result(), model, settings))
            for job, read in _ahead(reads, _READ_AHEAD)
        )
        for write in _ahead(writes, 1):
            yield write.result()


def _ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """Draw `count` items beyond the one that is handed out, so that their work has begun."""
    drawn: deque[T] = deque()
    for item in items:
        drawn.append(item)
        if len(drawn) > count:
            yield drawn.popleft()
    yield from drawn


# The three steps of a job.  Each hands on its result, or at once the row that ends the job.


def _read(job: Job, overwrite: bool) -> npt.NDArray[Any] | FileRow:
    if job.finished and not overwrite:
        return FileRow(str(job.source), job.mask.name, "kept")
    try:
        return read_image(job.source)
    except Exception as error:
        return _failed(job, error)


def _predict(
    job: Job,
    image: npt.NDArray[Any] | FileRow,
    model: "VeinModel",
    settings: SegmentationSettings,
) -> _Prediction | FileRow:
    if isinstance(image, FileRow):
        return image
    begin = time.perf_counter()
    try:
        resolved = model.resolve(settings, image)
        if job.probability:
            probability = model.probability(image, resolved)
            mask = model.mask(probability, resolved)
        else:  # takes less memory: it never holds the whole probability
            probability, mask = None, model.segment(image, resolved)
    except Cancelled:
        raise
    except Exception as error:
        return _failed(job, error)
    return _Prediction(resolved.vein_width or 0, probability, mask, time.perf_counter() - begin)


def _write(job: Job, prediction: _Prediction | FileRow) -> FileRow:
    if isinstance(prediction, FileRow):
        return prediction
    try:
        # The mask last: it says that the job is finished.
        if job.probability and prediction.probability is not None:
            write_probability(job.probability, prediction.probability)
        write_mask(job.mask, prediction.mask)
    except Exception as error:
        return _failed(job, error)
    mask = prediction.mask
    return FileRow(
        str(job.source),
        job.mask.name,
        "done",
        slices=mask.shape[0] if mask.ndim == 3 else 1,
        height=mask.shape[-2],
        width=mask.shape[-1],
        vein_width=prediction.vein_width,
        vein_share=float(np.mean(mask == VEIN)),
        seconds=prediction.seconds,
    )


def _failed(job: Job, error: Exception) -> FileRow:
    sentence = str(error)
    if not isinstance(error, VeinSegError):  # a bug, or the machine: the other files go on
        sentence = f"{type(error).__name__}: {' '.join(sentence.split())}"
    if str(job.source) not in sentence and str(job.mask.parent) not in sentence:
        sentence = f"{job.source}: {sentence}"
    return FileRow(str(job.source), "", "failed", error=sentence)
