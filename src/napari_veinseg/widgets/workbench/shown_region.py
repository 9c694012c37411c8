"""The region of interest of the image that an open folder shows, and what it means for a mask."""

from napari.layers import Image, Labels

from napari_veinseg.correction.drafts import model_region
from napari_veinseg.segmentation.region import Region
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession


class ShownRegion:
    """Reads and keeps it where the folder's regions are kept."""

    def __init__(self, session: FolderSession) -> None:
        self._session = session

    def is_of(self, image: Image | None) -> bool:
        """Tell whether an image is the shown one: others have their regions elsewhere."""
        return self._session.shown is not None and self._session.shown.image is image

    def region(self) -> Region | None:
        """Return the region of the shown image."""
        shown, regions = self._session.shown, self._session.regions
        if shown is None or regions is None:
            return None
        return regions.fitting(self._session.stem, shown.pixels.shape[:2])

    def is_shared(self) -> bool:
        """Tell whether it is the one for all images."""
        regions = self._session.regions
        return regions is not None and regions.is_shared(self._session.stem)

    def remember(self, region: Region | None, shared: bool) -> None:
        """Keep a region for the shown image, or for all."""
        regions, stem = self._session.regions, self._session.stem
        if regions is None:
            return
        if shared:
            regions.share(stem, region)
            return
        if regions.is_shared(stem):  # from now on it is that of this image alone
            regions.share(stem, None)
        regions.give(stem, region)


def say_effect(mask: Labels | None, region: Region | None) -> str:
    """Say whether a mask was made with a region, or how it can be."""
    wanted = "" if region is None else str(region)
    if mask is None:
        return "Press Segment to apply it" if wanted else ""
    record = record_of(mask)
    if model_region(record.model) == wanted:
        return "Outside it, no vein" if wanted else ""
    if record.edits.edited.all():
        return "The mask stays as it was reviewed"
    return f"Press Segment to {'apply it' if wanted else 'search the whole image'}"
