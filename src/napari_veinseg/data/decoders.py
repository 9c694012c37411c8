"""Decoding image files that may be cut off or lie about themselves."""

import logging
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageSequence

from napari_veinseg.errors import VeinSegError

Array = npt.NDArray[Any]

# Pillow knows dozens of formats, some of which start other programs: these are all that we mean.
_PILLOW_FORMATS = ("BMP", "JPEG", "PNG", "TIFF")
_PILLOW_CONVERSIONS = {"LA": "L", "La": "L"} | dict.fromkeys(
    ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa"), "RGB"
)
_BYTES = {"I;16": 2, "I;16B": 2, "I": 4, "F": 4}

MAX_UNPACKED = 2**30
"""Bytes that a *compressed* image may unpack to; an uncompressed one is as large as its file."""


def refuse_unopenable(path: Path) -> None:
    """Refuse what cannot be opened, before any decoder wonders about it.

    Parameters
    ----------
    path : Path
        What should be an image file.

    Raises
    ------
    VeinSegError
        If it does not exist, is no file, is empty or may not be read.
    """
    if not path.exists():
        raise VeinSegError(f"{path} does not exist: check the name.")
    if not path.is_file():  # a pipe or a device would block
        raise VeinSegError(f"{path} is not a file: give an image.")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise VeinSegError(f"{path} is an empty file: replace it or leave it out.")
    except OSError as error:
        raise VeinSegError(f"{path} cannot be opened ({error.strerror}): check it.") from error


def refuse_oversize(path: Path, nbytes: int) -> None:
    """Refuse an image that would unpack to far more memory than its file takes.

    Parameters
    ----------
    path : Path
        The image file.
    nbytes : int
        The memory, in bytes, that the header of the file asks for.

    Raises
    ------
    VeinSegError
        If `nbytes` is above both `MAX_UNPACKED` and the size of the file.
    """
    if nbytes > max(MAX_UNPACKED, path.stat().st_size):
        raise VeinSegError(
            f"{path} would unpack to {nbytes / 2**30:.3g} GiB: cut it into parts or save it "
            "without compression."
        )


def read_tiff(path: Path) -> Array | None:
    """Read all pages of a TIFF file.

    Look-up tables are not applied: the stored values are the measurement.  Where white is stored
    as 0, values are turned round so that dark is low, as everywhere else.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    ndarray or None
        `(Y, X)`, or `(N, Y, X)` for many pages; colours are the last axis.  Colour planes that
        are stored one after another are a stack: nearly always they are one, since writers take
        a stack of three or four for colours.  None if the file has a compression that tifffile
        alone cannot undo (LZW, JPEG, fax).

    Raises
    ------
    VeinSegError
        If the file is cut off, its pages differ in size, or it is too large.
    """
    # OME and Micro-Manager files may name other files to be read, anywhere on the disk: not here.
    with _LostPages() as lost, tifffile.TiffFile(path, is_ome=False, is_mmstack=False) as file:
        series = _only_series(path, file)
        refuse_oversize(path, series.size * series.dtype.itemsize)
        if lost.any or _cut_off(file, series):
            raise VeinSegError(f"{path} is cut off: copy it again or leave it out.")
        try:
            image = series.asarray()
        except ValueError as error:
            if "imagecodecs" in str(error):
                return None
            raise
        return _dark_is_low(image, series.keyframe.photometric)


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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        logging.getLogger("tifffile").removeHandler(self)


def _only_series(path: Path, file: tifffile.TiffFile) -> tifffile.TiffPageSeries:
    series, *others = file.series
    if any(not other.keyframe.is_reduced for other in others):
        raise VeinSegError(f"{path} has pages of different sizes: save each as a file of its own.")
    return series


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


def _dark_is_low(image: Array, photometric: int) -> Array:
    # Not booleans: Python programs label them so without meaning it, masks among them.
    if photometric != tifffile.PHOTOMETRIC.MINISWHITE or image.dtype.kind != "u":
        return image
    return np.invert(image)  # on unsigned integers this is the maximum minus the value


def write_tiff(path: Path, array: Array, colour: bool) -> None:
    """Write an image or a stack, without loss; compressed unless that could not be read again.

    Parameters
    ----------
    path : Path
        The file to write.
    array : ndarray
        Shape `(Y, X)` or `(N, Y, X)`, one page a slice, with colours as one more axis.
    colour : bool
        Whether the last axis holds colours.
    """
    # Said aloud: tifffile would take three grey slices for red, green and blue.
    photometric = "rgb" if colour else "minisblack"
    compression = "zlib" if array.nbytes <= MAX_UNPACKED else None
    tifffile.imwrite(path, array, photometric=photometric, compression=compression)


def read_with_pillow(path: Path) -> Array:
    """Read a png, jpg or bmp file, or a TIFF file that tifffile could not.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    ndarray
        `(Y, X)`, `(Y, X, 3 or 4)`, or for many TIFF pages a stack of them; palettes become
        colours.

    Raises
    ------
    VeinSegError
        If the file is too large.
    """
    with Image.open(path, formats=_PILLOW_FORMATS) as file:
        frames = getattr(file, "n_frames", 1) if file.format == "TIFF" else 1
        values = file.width * file.height * len(file.getbands()) * frames
        refuse_oversize(path, values * _BYTES.get(file.mode, 1))
        if frames == 1:
            return _pillow_array(file)
        return np.stack([_pillow_array(frame) for frame in ImageSequence.Iterator(file)])


def _pillow_array(image: Image.Image) -> Array:
    mode = _PILLOW_CONVERSIONS.get(image.mode)
    return np.array(image.convert(mode) if mode else image)
