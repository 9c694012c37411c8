"""TIFF files: tifffile finds the pixels, and imagecodecs unpacks every compression."""

import logging
import threading
from pathlib import Path
from typing import Self

import numpy as np
import tifffile

from napari_veinseg.data.array_types import AnyImage
from napari_veinseg.data.decoders import (
    MAX_UNPACKED,
    ORIENTATION,
    StoredImage,
    read_with_pillow,
    refuse_oversize,
    upright,
)
from napari_veinseg.errors import VeinSegError

_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_TO_RGB = ("SEPARATED", "CIELAB", "ICCLAB", "ITULAB")  # colour spaces that Pillow knows


def is_tiff(path: Path) -> bool:
    """Tell whether a file says at its start that it is a TIFF, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) in _MARKS


def read_tiff(path: Path) -> StoredImage:
    """Read all pages of a TIFF file.

    Colour planes that are stored one after another are a stack: nearly always they are one, since
    writers take a stack of three or four for colours.

    Raise VeinSegError if the file is cut off, its pages differ in size, it is too large, or nothing
    here undoes its compression.
    """
    # OME and Micro-Manager files may name other files to be read, anywhere on the disk: not here.
    with _LostPages() as lost, tifffile.TiffFile(path, is_ome=False, is_mmstack=False) as file:
        series = _only_series(path, file)
        page = series.keyframe
        refuse_oversize(path, series.size * series.dtype.itemsize)
        if lost.any or _cut_off(file, series):
            raise VeinSegError(f"{path} is cut off: copy it again or leave it out.")
        compression = _unknown_compression(page)
        if compression or getattr(page.photometric, "name", "") in _TO_RGB:
            return _read_with_pillow(path, compression)
        array = _channels_last(series.asarray(), series)
        orientation = page.tags.valueof(ORIENTATION, 1)
        stack = series.axes[-1:] != "S" and array.ndim == 3
        return StoredImage(
            upright(array, orientation, stack or array.ndim == 4),
            _palette(page),
            value_of_black(page),
            str(page.software),
        )


def _read_with_pillow(path: Path, compression: str) -> StoredImage:
    try:
        return read_with_pillow(path)
    except OSError as error:
        if not compression:
            raise
        raise VeinSegError(
            f"{path} is compressed as {compression}, which cannot be undone here: save it "
            "without compression, with LZW or with ZIP (deflate)."
        ) from error


def _unknown_compression(page: tifffile.TiffPage) -> str:
    """Name the compression that imagecodecs does not undo; empty if it does."""
    try:
        tifffile.TIFF.DECOMPRESSORS[page.compression]
    except KeyError:
        return str(getattr(page.compression, "name", f"number {int(page.compression)}"))
    return ""


def _channels_last(array: AnyImage, series: tifffile.TiffPageSeries) -> AnyImage:
    """Give `(..., Y, X)` or `(..., Y, X, colours)`: no alpha behind grey, and one stack axis."""
    samples = series.axes.find("S")
    page = series.keyframe
    grey = page.photometric in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE)
    if samples >= 0 and grey and array.shape[samples] == 2 and page.extrasamples:
        array = array.take(0, samples)
    elif samples == array.ndim - 1 and array.shape[samples] not in (3, 4):
        array = np.moveaxis(array, samples, 0)  # several bands, none of them a colour
    pixels = 3 if samples == series.ndim - 1 and array.ndim == series.ndim else 2
    if array.ndim - pixels > 1:  # times and depths, as in OME-Zarr
        array = array.reshape(-1, *array.shape[-pixels:])
    return array


def _palette(page: tifffile.TiffPage) -> AnyImage | None:
    if page.photometric != tifffile.PHOTOMETRIC.PALETTE or page.colormap is None:
        return None
    return np.asarray(page.colormap.T >> 8, np.uint8)


def value_of_black(page: tifffile.TiffPage) -> int | None:
    """Tell which stored value is black where 0 is white; None where 0 is not, or cannot be.

    Signed values and fractions cannot.  tifffile, and all Python programs that write with it, say
    of booleans that 0 is white without meaning it.
    """
    if page.photometric != tifffile.PHOTOMETRIC.MINISWHITE:
        return None
    by_tifffile = page.bitspersample == 1 and str(page.software).startswith("tifffile")
    if by_tifffile or page.dtype is None or page.dtype.kind not in "bu":
        return None
    return int(2**page.bitspersample - 1)


class _LostPages(logging.Handler):
    """Hear whether tifffile drops pages: it logs a broken chain of pages and reads on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.any = False
        self._reader = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        self.any |= record.thread == self._reader and "TiffPages" in record.getMessage()

    def __enter__(self) -> Self:
        logging.getLogger("tifffile").addHandler(self)
        return self

    def __exit__(self, *_error: object) -> None:
        logging.getLogger("tifffile").removeHandler(self)


def _only_series(path: Path, file: tifffile.TiffFile) -> tifffile.TiffPageSeries:
    series, *others = file.series
    if any(not (other.keyframe.is_reduced or _smaller_copy(series, other)) for other in others):
        raise VeinSegError(f"{path} has pages of different sizes: save each as a file of its own.")
    return series


def _smaller_copy(series: tifffile.TiffPageSeries, other: tifffile.TiffPageSeries) -> bool:
    """Whether pages are a level of a pyramid that does not say so: smaller, but as long as wide."""
    page, small = series.keyframe, other.keyframe
    factors = page.imagelength / small.imagelength, page.imagewidth / small.imagewidth
    same_kind = page.dtype == small.dtype and len(other.pages) == len(series.pages)
    return same_kind and min(factors) > 1.5 and max(factors) / min(factors) < 1.05


def _cut_off(file: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> bool:
    """Whether pixels lie behind the end of the file, where tifffile would give zeros."""
    size = file.filehandle.size
    if series.dataoffset is not None and series.dataoffset + series.nbytes > size:
        return True
    return any(
        page is None
        or any(
            start + count > size
            for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        )
        for page in series.pages
    )


def write_tiff(path: Path, array: AnyImage, colour: bool, software: str) -> None:
    """Write an image or a stack, without loss; compressed unless that could not be read again.

    A slice is a page; with `colour` the last axis holds colours.
    """
    # Said aloud: tifffile would take three grey slices for red, green and blue.
    photometric = "rgb" if colour else "minisblack"
    compression = "zlib" if array.nbytes <= MAX_UNPACKED else None
    tifffile.imwrite(
        path,
        array,
        photometric=photometric,
        compression=compression,
        software=software or None,  # None: tifffile names itself
    )
