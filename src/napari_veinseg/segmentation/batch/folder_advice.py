"""Which shipped model the images of a folder ask for, said while it is being segmented."""

from collections import Counter
from pathlib import Path

from napari_veinseg.data.image_files import read_image
from napari_veinseg.data.ome_zarr import is_zarr
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.store import STARTER
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow
from napari_veinseg.segmentation.model_advice import suggestion, suited_model

_LOOKED_AT = 3  # images of a folder, which hold the others up


class FolderAdvice:
    """Looks at the first images of each folder, and suggests another model than the one `used`."""

    def __init__(self, used: str) -> None:
        self._used = used
        self._looks: Counter[Path] = Counter()

    def on(self, row: SummaryRow) -> str:
        """Return a sentence or two about the model after an image; nothing where it was said."""
        if self._used != STARTER or row.status != "done":
            return ""
        image = Path(row.image)
        if is_zarr(image) or self._looks[image.parent] >= _LOOKED_AT:
            return ""
        self._looks[image.parent] += 1
        try:
            suited = suited_model(read_image(image), row.vein_width or 0, self._used)
        except VeinSegError:  # it is gone meanwhile, or a cluster alone can read it
            return ""
        if not suited:
            return ""
        self._looks[image.parent] = _LOOKED_AT
        return suggestion(suited)
