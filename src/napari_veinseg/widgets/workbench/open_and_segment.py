"""What is done in a worker before an image is shown: reading it, and finding its veins."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_veinseg.correction.doubt import image_doubt
from napari_veinseg.correction.drafts import Draft, DraftNotes
from napari_veinseg.correction.image_folder import ImageFolder, OpenedImage
from napari_veinseg.data.finger_groups import make_thumbnail
from napari_veinseg.errors import Cancelled, VeinSegError, naming
from napari_veinseg.segmentation.folder_regions import FolderRegions
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.jobs import Reporter, Step


@dataclass(frozen=True)
class MaskMaker:
    """The model and the settings that masks are made with."""

    path: Path
    name: str
    settings: SegmentationSettings
    regions: FolderRegions | None = None

    def at(self, stem: str, pixels: NDArray[Any]) -> "MaskMaker":
        """Return what makes the mask of one image of the folder: it may have a region."""
        region = self.regions.fitting(stem, pixels.shape[:2]) if self.regions else None
        return replace(self, settings=replace(self.settings, region=region))

    @property
    def identity(self) -> str:
        """What tells these masks from those of another model or of other settings."""
        how = self.settings
        file, where = identity_of_file(self.path, self.name), f" {how.region}" if how.region else ""
        return f"{file}{how.channel} {how.invert} {how.vein_width}{where}"

    def must_segment(self, draft: Draft | None) -> bool:
        """Say whether an image has no mask, or one that only another model has made."""
        if draft is None:
            return True
        by_another = bool(draft.notes.model) and draft.notes.model != self.identity
        return by_another and not draft.is_edited


def identity_of_file(path: Path, name: str) -> str:
    """Return what the identity of all masks begins with that a model has made.

    A file that is gone is told when it is loaded, not where an identity is asked for.
    """
    try:
        written = path.stat().st_mtime_ns
    except OSError:
        written = 0
    return f"{name} {written} "


def prepare_image(
    folder: ImageFolder, index: int, maker: MaskMaker | None, reporter: Reporter
) -> OpenedImage | str:
    """Read an image, or say why it cannot be had; and segment it where it needs a mask."""
    try:
        opened = folder.read(index)
    except VeinSegError as error:
        return str(error)
    maker = maker and maker.at(folder.stems[index], opened.pixels)
    if maker is None or not maker.must_segment(opened.draft):
        return opened
    engine.load_model(maker.path, reporter)  # that it cannot be used says nothing about the image
    try:
        return replace(opened, draft=segment_pixels(opened.pixels, maker, reporter))
    except VeinSegError as error:
        return str(error)


def segment_pixels(
    pixels: NDArray[Any], maker: MaskMaker, reporter: Reporter, *, one_of_many: bool = False
) -> Draft:
    """Find the veins of an image that was read; of many, no image tells how far it is."""
    model = engine.load_model(maker.path, reporter)

    def progress(done: int, total: int) -> None:
        reporter.tell(Step(done, total, "Segmenting"))

    told = None if one_of_many else progress
    found = model.predict(pixels, maker.settings, progress=told, cancelled=reporter.cancelled)
    used = found.settings
    doubt = image_doubt(found.probability, used.vein_width, used.threshold)
    notes = DraftNotes(maker.identity, used.threshold, used.min_size, used.vein_width, doubt)
    return Draft(found.mask, None, found.probability, notes, make_thumbnail(pixels))


def segment_rest(
    folder: ImageFolder, skip: int, maker: MaskMaker, reporter: Reporter
) -> tuple[int, list[str]]:
    """Segment all images that need it but the open one; return how many were, and why others not.

    The folder keeps the faults of those that cannot be read, to be shown with their names.
    """
    engine.load_model(maker.path, reporter)  # that it cannot be used says nothing about an image
    count, refused = 0, []
    for index, image in enumerate(folder.images):
        reporter.tell(Step(index, len(folder), f"Segmenting {image.name}"))
        if index == skip:
            continue
        try:
            opened = folder.read(index)
        except VeinSegError:
            if folder.is_away:
                raise
            continue
        here = maker.at(folder.stems[index], opened.pixels)
        if not here.must_segment(opened.draft):
            continue
        try:
            with naming(image.name):
                draft = segment_pixels(opened.pixels, here, reporter, one_of_many=True)
        except Cancelled:
            raise
        except VeinSegError as error:
            refused.append(str(error))
        else:
            count += folder.masks.store_prediction(folder.stems[index], draft)
    return count, refused
