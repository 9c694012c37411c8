"""A folder of images: its masks are written to another folder and shown in the viewer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QObject

from napari_veinseg.data.array_types import AnyImage, MaskStack
from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.image_files import read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.batch.plan_files import FolderOptions, files_left_out
from napari_veinseg.segmentation.batch.segment_files import segment_files
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.jobs import Reporter, Step
from napari_veinseg.widgets.common.notify import show_info, warn
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.wording import counted

SHOWN_BYTES = 300_000_000
"""Images beyond this are not opened: their masks are on disk, and memory is for working."""


@dataclass(frozen=True)
class FolderTask:
    """A folder to be segmented."""

    images: Path
    masks: Path
    model: Path
    settings: SegmentationSettings
    options: FolderOptions


@dataclass
class Shown:
    """Images of one shape with their masks, shown as one stack."""

    files: list[str]
    images: list[AnyImage]
    masks: list[MaskStack]


@dataclass(frozen=True)
class FolderResult:
    """What became of a folder."""

    task: FolderTask
    rows: list[SummaryRow]
    shown: list[Shown]
    remarks: list[str]


def segment_folder(task: FolderTask, reporter: Reporter) -> FolderResult:
    """Segment a folder; runs in a worker."""
    model = engine.load_model(task.model, reporter)

    def report(row: SummaryRow, done: int, total: int) -> None:
        reporter.tell(Step(done, total, f"Segmenting {Path(row.image).name}"))

    rows = segment_files(
        [task.images],
        task.masks,
        model,
        task.settings,
        task.options,
        report=report,
        cancelled=reporter.cancelled,
        at_once=1,  # more threads at work here would make the viewer wait for its turn
    )
    groups: dict[tuple[Any, ...], Shown] = {}
    for name, image, mask in _readable(rows, task.masks):
        group = groups.setdefault((image.shape, image.dtype), Shown([], [], []))
        group.files.append(name)
        group.images.append(image)
        group.masks.append(mask)
    remarks = list(files_left_out([task.images], task.options.recursive))
    return FolderResult(task, rows, list(groups.values()), remarks)


def _readable(rows: list[SummaryRow], masks: Path) -> Iterator[tuple[str, AnyImage, MaskStack]]:
    """Read images and masks as long as they fit into `SHOWN_BYTES`."""
    room = SHOWN_BYTES
    for row in rows:
        if row.status == "failed":
            continue
        try:
            image = read_image(row.image)
            mask = read_mask(masks / row.mask)
        except VeinSegError:
            continue  # gone meanwhile, or a file that was there before and is no mask
        room -= image.nbytes
        if room < 0:
            return
        if mask.shape == (image.shape[:-1] if is_colour(image.shape) else image.shape):
            yield Path(row.image).name, image, mask


def show_folder(viewer: napari.Viewer, dock: QObject, result: FolderResult) -> None:
    """Open what was segmented and say what became of it, in the dock where some failed."""
    folder = result.task.images.name
    for shown in result.shown:
        single = len(shown.files) == 1 or shown.masks[0].ndim == 3
        stacks = (
            zip(shown.files, shown.images, shown.masks, strict=True)
            if single
            else [(folder, np.stack(shown.images), np.stack(shown.masks))]
        )
        for name, images, masks in stacks:
            layer = viewer.add_image(
                images,
                name=name,
                rgb=is_colour(shown.images[0].shape),
                metadata={"files": [name] if single else shown.files},
            )
            add_mask_layer(viewer, masks, layer)
    _tell(result, dock)


def _tell(result: FolderResult, dock: QObject) -> None:
    counts = Counter(row.status for row in result.rows)
    opened = sum(len(shown.files) for shown in result.shown)
    parts = [f"{counted(counts['done'], 'mask')} written to {result.task.masks}"]
    if counts["kept"]:
        parts.append(f"{counts['kept']} there already and kept")
    if opened < counts["done"] + counts["kept"]:
        which = {0: "none is", 1: "the first is"}.get(opened, f"the first {opened} are")
        parts.append(f"{which} open in the viewer")
    told, remarks = ", ".join(parts) + ".", list(result.remarks)
    if counts["failed"]:
        first = next(row.error for row in result.rows if row.status == "failed")
        remarks.append(f"{counts['failed']} failed, see summary.csv there: {first}")
    if remarks:
        warn(" ".join([told, *remarks]), "Segmenting", dock)
    else:
        show_info(told)
