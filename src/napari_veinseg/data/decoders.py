"""Decoding image files that may be cut off or lie about themselves; TIFF files see `tiff`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from napari_veinseg.data.array_types import AnyImage
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import opening

# Pillow knows dozens of formats, some of which start other programs: these are all that we mean.
PILLOW_FORMATS = ("BMP", "JPEG", "PNG", "TIFF")
_PILLOW_CONVERSIONS = {"LA": "L", "La": "L", "PA": "P"} | dict.fromkeys(
    ("CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa"), "RGB"
)
ORIENTATION = 0x112  # the tag of EXIF and TIFF
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}  # colour, grey with alpha, colour with alpha
_BYTES = {"I;16": 2, "I;16B": 2, "I": 4, "F": 4}

MAX_UNPACKED = 2**30
"""Bytes that a *compressed* image may unpack to; an uncompressed one is as large as its file."""


@dataclass(frozen=True)
class StoredImage:
    """The values of an image file, upright, with what they stand for."""

    values: AnyImage
    palette: AnyImage | None = None
    """`(n, 3)`, the colours that values are the numbers of."""
    black: int | None = None
    """The value that stands for black where 0 stands for white (WhiteIsZero)."""
    software: str = ""
    """What wrote the file, by its own account."""

    def image(self) -> AnyImage:
        """Give what the file shows: colours instead of their numbers, and dark is low."""
        if self.palette is not None:
            return self.palette[np.minimum(self.values, len(self.palette) - 1)]
        if self.black is None:
            return self.values
        if self.values.dtype == bool:
            return ~self.values
        return np.subtract(self.black, self.values, dtype=self.values.dtype)


def upright(array: AnyImage, orientation: int, stack: bool = False) -> AnyImage:
    """Turn an image as its tag Orientation (EXIF, TIFF) says, 1 to 8; anything else is taken for 1.

    The first axis of a stack is N.
    """
    y, x = (1, 2) if stack else (0, 1)
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(y, x)
    if orientation in (2, 3, 6, 7):
        array = np.flip(array, x)
    if orientation in (3, 4, 7, 8):
        array = np.flip(array, y)
    return np.ascontiguousarray(array)


def refuse_unopenable(path: Path) -> None:
    """Refuse what cannot be opened, before any decoder wonders about it."""
    if path.is_symlink() and not path.exists():
        raise VeinSegError(f"{path} is a link to a file that is gone: bring it back or remove it.")
    if not path.exists():
        raise VeinSegError(f"{path} does not exist: check the name.")
    if not path.is_file():  # a pipe or a device would block
        raise VeinSegError(f"{path} is not a file: give an image.")
    with opening(path), path.open("rb") as file:
        if not file.read(1):
            raise VeinSegError(f"{path} is an empty file: replace it or leave it out.")


def refuse_oversize(path: Path, nbytes: int) -> None:
    """Refuse an image that would unpack to far more memory than its file takes."""
    if nbytes > max(MAX_UNPACKED, path.stat().st_size):
        raise VeinSegError(
            f"{path} would unpack to {nbytes / 2**30:.3g} GiB: cut it into parts or save it "
            "without compression."
        )


def read_with_pillow(path: Path) -> StoredImage:
    """Read a png, jpg or bmp file, or a TIFF file of a kind that tifffile does not know."""
    with Image.open(path, formats=PILLOW_FORMATS) as file:
        frames = getattr(file, "n_frames", 1) if file.format == "TIFF" else 1
        values = file.width * file.height * len(file.getbands()) * frames
        refuse_oversize(path, values * _BYTES.get(file.mode, 1))
        if frames > 1:
            pages = ImageSequence.Iterator(file)
            return StoredImage(np.stack([_pillow_array(page) for page in pages]))
        array = _deep_png(path) if is_deep_png(path) else _pillow_array(file)
        # Pillow itself turns TIFF files; the tag of a png may stand behind its pixels.
        orientation = 1 if file.format == "TIFF" else file.getexif().get(ORIENTATION, 1)
        software = str(file.info.get("Software", ""))  # of a png
        return StoredImage(upright(array, orientation), _pillow_palette(file), software=software)


def is_deep_png(path: Path) -> bool:
    """Tell a png of 16 bits in colour or with alpha, of which Pillow keeps 8."""
    start = _start(path)
    return start[:8] == _PNG and start[24] == 16 and start[25] in _PNG_CHANNELS


def _deep_png(path: Path) -> AnyImage:
    import imagecodecs

    start = _start(path)
    width, height = (int.from_bytes(start[at : at + 4], "big") for at in (16, 20))
    refuse_oversize(path, 2 * _PNG_CHANNELS[start[25]] * width * height)
    array: AnyImage = imagecodecs.png_decode(path.read_bytes())
    return array[..., 0] if array.shape[-1] == 2 else array


def _start(path: Path) -> bytes:
    """Read the signature and the header of a png, if it is one."""
    with path.open("rb") as file:
        return file.read(26).ljust(26)


def _pillow_palette(image: Image.Image) -> AnyImage | None:
    if image.mode not in ("P", "PA"):
        return None
    return np.asarray(image.getpalette("RGB") or [0, 0, 0], np.uint8).reshape(-1, 3)


def _pillow_array(image: Image.Image) -> AnyImage:
    mode = _PILLOW_CONVERSIONS.get(image.mode)
    return np.array(image.convert(mode) if mode else image)
