"""Images on disk."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_veinseg.data.array_types import AnyImage, ProbabilityStack
from napari_veinseg.data.decoders import StoredImage, read_with_pillow, refuse_unopenable
from napari_veinseg.data.grey import is_colour, without_grey_axis
from napari_veinseg.data.tiff import is_tiff, read_tiff, write_tiff
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path, writing

TIFF_SUFFIXES = (".tif", ".tiff")
IMAGE_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg", ".bmp")
PROBABILITY_ENDING = "_probability"
"""What segmenting puts behind a mask's stem to name the probability beside it."""


def list_images(folder: str | Path) -> list[Path]:
    """List the images of a folder, without those of its subfolders.

    Files with a suffix of `IMAGE_SUFFIXES` in any case, hidden ones left out, sorted by name.
    """
    folder = Path(folder)
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES
            and not path.name.startswith(".")
            and path.is_file()
        )
    except OSError as error:
        raise VeinSegError(
            f"The folder {folder} cannot be read ({error.strerror}): check its name and rights."
        ) from error


def without_probabilities(paths: Iterable[Path]) -> list[Path]:
    """Leave out each `STEM_probability` that segmenting has written beside a mask `STEM`."""
    kept = list(paths)
    masks = {(path.parent, f"{path.stem}{PROBABILITY_ENDING}") for path in kept}
    return [path for path in kept if (path.parent, path.stem) not in masks]


def read_image(path: str | Path) -> AnyImage:
    """Read an image at the depth at which it is stored, as it is meant to be seen.

    The file is a tif (any depth and compression, one or many pages), png, jpg or bmp.  The image
    is upright (EXIF and TIFF orientation), dark is low (WhiteIsZero), palettes are colours and
    grey has no alpha.

    Raise VeinSegError if the file is missing, empty, damaged, cut off, of another format, without
    pixels, or would unpack to more memory than an image of its kind needs.
    """
    return read_stored(Path(path)).image()


def read_stored(path: Path) -> StoredImage:
    """Read the values of an image file and what they stand for, see `read_image`."""
    if path.suffix.lower() not in IMAGE_SUFFIXES and path.exists():
        raise VeinSegError(
            f"{path} is not an image that can be read: use {', '.join(IMAGE_SUFFIXES)}."
        )
    refuse_unopenable(path)
    try:
        stored = read_tiff(path) if is_tiff(path) else read_with_pillow(path)
    except VeinSegError:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise VeinSegError(f"{path} has too many pixels: crop or downsample it.") from error
    except Exception as error:  # a decoder fed with a damaged file raises anything at all
        raise VeinSegError(
            f"{path} cannot be read: it is damaged, cut off or not the image that its name says; "
            "replace it or leave it out."
        ) from error
    if stored.values.size == 0:
        raise VeinSegError(f"{path} has no pixels (shape {stored.values.shape}): leave it out.")
    return stored


def write_probability(path: str | Path, probability: ProbabilityStack) -> None:
    """Write a vein probability, whole or not at all; its folder must exist.

    A `.tif` keeps float32 and takes a stack; a `.png` holds the probability times 65535, rounded,
    in 16 bits.

    Raise VeinSegError if the shape does not fit or the file cannot be written.
    """
    path = Path(path)
    values = np.asarray(probability, np.float32)
    if path.suffix.lower() == ".png":
        values = np.rint(values * 65535).astype(np.uint16)
    write_image(path, values)


def write_image(path: str | Path, image: npt.ArrayLike, software: str = "") -> None:
    """Write an image of numbers, as `read_image` gives them, as it is, whole or not at all.

    The file ends in `.tif`, or for one slice of 8 or 16 bits in `.png`, and names the software that
    wrote it; its folder must exist.

    Raise VeinSegError if the shape or the dtype do not fit, or the file cannot be written.
    """
    path, array = Path(path), without_grey_axis(np.asarray(image))
    suffix = path.suffix.lower()
    colour = is_colour(array.shape)
    if suffix not in (*TIFF_SUFFIXES, ".png"):
        raise VeinSegError(f"{path} was not written: choose a name that ends in .tif or .png.")
    if array.size == 0 or array.ndim - colour not in (2, 3):
        raise VeinSegError(f"{path} was not written: {array.shape} is no image and no stack.")
    if suffix == ".png" and (array.ndim - colour == 3 or array.dtype not in ("u1", "u2")):
        raise VeinSegError(f"{path} was not written: choose .tif for stacks and floats.")
    with writing(path), atomic_path(path) as temporary:
        if suffix == ".png":
            notes = PngInfo()
            if software:
                notes.add_text("Software", software)
            Image.fromarray(array).save(temporary, pnginfo=notes)
        else:
            write_tiff(temporary, array, colour, software)


def image_hash(image: npt.ArrayLike) -> str:
    """Hash an image by SHA-256: equal pixels of equal type and shape give equal hashes.

    Byte order and memory layout do not matter.
    """
    array = np.asarray(image)
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(array.data)
    return digest.hexdigest()
