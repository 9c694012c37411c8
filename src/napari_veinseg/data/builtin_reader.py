"""Where napari's builtin reader gives another image of a file than `images.read_image`."""

from pathlib import Path

import tifffile
from PIL import Image

from napari_veinseg.data.decoders import ORIENTATION, PILLOW_FORMATS, is_deep_png
from napari_veinseg.data.image_files import IMAGE_SUFFIXES
from napari_veinseg.data.tiff import is_tiff, value_of_black

_TURNED = "its orientation tag is heeded"
_PHOTOMETRIC = {
    "PALETTE": "its numbers stand for colours",
    "SEPARATED": "its inks become red, green and blue",
}
_MODES = {"LA": "its transparency is left out", "CMYK": _PHOTOMETRIC["SEPARATED"]}


def shown_otherwise(path: Path) -> str:
    """Tell what `read_image` does to a file beyond napari, as the end of a sentence, or nothing."""
    if path.suffix.lower() not in IMAGE_SUFFIXES or not path.is_file():
        return ""
    try:
        return _of_tiff(path) if is_tiff(path) else _of_others(path)
    except Exception:  # a damaged file raises anything at all, and is told where it is read
        return ""


def _of_tiff(path: Path) -> str:
    with tifffile.TiffFile(path, is_ome=False, is_mmstack=False) as file:
        page = file.series[0].keyframe
        if page.tags.valueof(ORIENTATION, 1) in range(2, 9):
            return _TURNED
        if value_of_black(page) is not None:
            return "0 means white in it"
        name = getattr(page.photometric, "name", "")
        if name == "MINISBLACK" and page.samplesperpixel == 2 and page.extrasamples:
            return _MODES["LA"]
        return _PHOTOMETRIC.get(name, "")


def _of_others(path: Path) -> str:
    if is_deep_png(path):
        return "it keeps all of its 16 bits"
    with Image.open(path, formats=PILLOW_FORMATS) as file:
        # Without decoding: a tag behind the pixels of a png is not looked for.
        if "exif" in file.info and file.getexif().get(ORIENTATION, 1) in range(2, 9):
            return _TURNED
        return _MODES.get(file.mode, "")
