"""The three steps of one image: read, predict, write.

Each hands on its result, or at once the row that ends the image; none raises for a bad file.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import MaskStack
from napari_veinseg.data.image_files import read_image, write_probability
from napari_veinseg.data.labels import VEIN
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.data.ome_labels import new_labels, strips
from napari_veinseg.data.ome_zarr import OmeZarrImage, is_zarr
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.segmentation.batch.plan_files import FilePlan, FolderOptions
from napari_veinseg.segmentation.batch.provenance import Provenance, mask_digest
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow
from napari_veinseg.segmentation.settings import ResolvedSettings, SegmentationSettings
from napari_veinseg.segmentation.tiling.image_source import ImageSource

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

EMPTY = "no vein found"
"""Note of an empty mask."""
EDITED = "edited since"
"""Note of a kept mask whose file is not as it was written."""


@dataclass(frozen=True)
class ReadImage:
    """An image on its way to the network."""

    pixels: ImageSource | OmeZarrImage
    """The second is larger than memory."""
    settings: ResolvedSettings | None
    """With the vein width of these pixels, where they are in memory."""
    made_from: Provenance
    """What the mask will be made from."""
    kept: SummaryRow | None = None
    """Of a mask that is kept: only its probability is made."""


@dataclass(frozen=True)
class SegmentedImage:
    """An image on its way to the disk."""

    mask: MaskStack
    probability: npt.NDArray[np.float32] | None
    """Where it is wanted."""
    settings: ResolvedSettings
    """That were used."""
    seconds: float
    """For the summary."""
    made_from: Provenance
    """What it was made from."""
    kept: SummaryRow | None
    """Of a mask that is kept: only its probability was made."""


@dataclass(frozen=True)
class FileSteps:
    """How the images of a run are segmented; for the rest see `segment_files`."""

    model: "VeinModel"
    settings: SegmentationSettings
    options: FolderOptions
    cancelled: Callable[[], bool] | None = None
    """Asked between the tiles of an image whether to stop."""

    def read(self, plan: FilePlan) -> ReadImage | SummaryRow:
        """Read an image; else give the row of a mask that is kept, or of an unreadable file."""
        try:
            made_from = Provenance.of(plan.source, self.model, self.settings)
            kept = self._kept(plan, made_from)
            if kept and plan.finished:
                return kept
            if is_zarr(plan.source):
                return ReadImage(OmeZarrImage.open(plan.source), None, made_from)
            settings = self.settings
            pixels = ImageSource(
                read_image(plan.source), settings.channel, settings.invert, settings.region
            )
            # The vein width is measured here, beside the network of the image before.
            return ReadImage(pixels, self.model.resolve(settings, pixels), made_from, kept)
        except Exception as error:
            return failed_row(plan, error)

    def _kept(self, plan: FilePlan, made_from: Provenance) -> SummaryRow | None:
        """Give the row of a mask that is there and stays, None of one that is to be made.

        It has the figures of when it was made; or what can be measured, where they are unknown.
        """
        if self.options.overwrite or not plan.mask.exists():
            return None
        made = plan.made or SummaryRow(str(plan.source), plan.name, "done")
        changes = made_from.changes_since(made.provenance)
        edited = bool(made.mask_digest) and made.mask_digest != mask_digest(plan.mask)
        if self.options.update and changes and made.model and not edited:
            return None
        notes = [*changes, *[EDITED] * edited]
        if edited:
            made = replace(made, vein_share=None)
        if made.vein_share is None and not is_zarr(plan.mask):  # or the run was killed
            try:
                mask = read_mask(plan.mask)
                made = replace(made, **_figures(mask.shape, int(np.count_nonzero(mask == VEIN))))
            except VeinSegError as error:
                notes.append(str(error))
        if made.vein_share == 0:
            notes.insert(0, EMPTY)
        note = "; ".join(notes)
        return replace(made, image=str(plan.source), status="kept", error="", note=note)

    def predict(self, plan: FilePlan, image: ReadImage | SummaryRow) -> SegmentedImage | SummaryRow:
        """Segment an image; one that is larger than memory is written at the same time."""
        if isinstance(image, SummaryRow):
            return image
        begin = time.perf_counter()
        try:
            if isinstance(image.pixels, OmeZarrImage):
                return self._segment_in_blocks(plan, image.pixels, image.made_from)
            assert image.settings is not None
            pixels, resolved = image.pixels, image.settings
            if plan.probability:
                predicted = self.model.predict(pixels, resolved, cancelled=self.cancelled)
                probability, mask = predicted.probability, predicted.mask
            else:  # takes less memory: it never holds the whole probability
                probability = None
                mask = self.model.segment(pixels, resolved, cancelled=self.cancelled)
        except Cancelled:
            raise
        except Exception as error:
            return failed_row(plan, error)
        seconds = time.perf_counter() - begin
        return SegmentedImage(mask, probability, resolved, seconds, image.made_from, image.kept)

    def write(self, plan: FilePlan, image: SegmentedImage | SummaryRow) -> SummaryRow:
        """Write what was segmented."""
        if isinstance(image, SummaryRow):
            return image
        try:
            plan.mask.parent.mkdir(parents=True, exist_ok=True)
            # The mask last: it says that the image is finished.
            if plan.probability and image.probability is not None:
                write_probability(plan.probability, image.probability)
            if image.kept:
                return image.kept
            write_mask(plan.mask, image.mask)
            return _done(
                plan,
                image.mask.shape,
                int(np.count_nonzero(image.mask == VEIN)),
                image.settings,
                seconds=image.seconds,
                mask_digest=mask_digest(plan.mask),
                **asdict(image.made_from),
            )
        except Exception as error:
            return failed_row(plan, error)

    def _segment_in_blocks(
        self, plan: FilePlan, image: OmeZarrImage, made_from: Provenance
    ) -> SummaryRow:
        begin = time.perf_counter()
        planes = image.planes(self.settings.channel)
        resolved = self.model.resolve(self.settings, planes, self.cancelled)
        plan.mask.parent.mkdir(parents=True, exist_ok=True)
        with new_labels(plan.mask, image) as labels:
            self.model.segment(planes, resolved, out=labels, cancelled=self.cancelled)
            veins = sum(
                int(np.count_nonzero(plane[rows] == VEIN))
                for plane in labels.planes
                for rows in strips(plane)
            )
        return _done(
            plan,
            labels.shape,
            veins,
            resolved,
            seconds=time.perf_counter() - begin,
            mask_digest=mask_digest(plan.mask),
            **asdict(made_from),
        )


def _done(
    plan: FilePlan, shape: tuple[int, ...], veins: int, used: ResolvedSettings, **measured: Any
) -> SummaryRow:
    figures = {"vein_width": used.vein_width, **_figures(shape, veins)}
    note = "; ".join(filter(None, ["" if veins else EMPTY, used.remark]))
    return SummaryRow(str(plan.source), plan.name, "done", note=note, **figures, **measured)


def _figures(shape: tuple[int, ...], veins: int) -> dict[str, Any]:
    slices, height, width = shape if len(shape) == 3 else (1, *shape)
    share = veins / (slices * height * width)
    return {"slices": slices, "height": height, "width": width, "vein_share": share}


def failed_row(plan: FilePlan, error: Exception) -> SummaryRow:
    """Give the row of an image that failed, with what is known of its mask of an earlier run."""
    sentence = str(error)
    if not isinstance(error, VeinSegError):  # a bug, or the machine: the other files go on
        sentence = f"{type(error).__name__}: {' '.join(sentence.split())}"
    if str(plan.source) not in sentence and str(plan.mask) not in sentence:
        sentence = f"{plan.source}: {sentence}"
    made = plan.made
    # Not `Path.exists`, which raises where a share is away.
    if made and made.image == str(plan.source) and os.path.exists(plan.mask):  # noqa: PTH110
        return replace(made, status="failed", error=sentence)
    return SummaryRow(str(plan.source), "", "failed", error=sentence)
