"""Images and masks on disk."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from napari_veinseg.data.array_types import AnyImage, MaskStack, ProbabilityStack
from napari_veinseg.data.decoders import StoredImage, read_with_pillow, refuse_unopenable
from napari_veinseg.data.grey import is_colour, without_grey_axis
from napari_veinseg.data.labels import UNSURE
from napari_veinseg.data.numbered_pieces import numbered_pieces
from napari_veinseg.data.tiff import is_tiff, read_tiff, write_tiff
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path, writing

TIFF_SUFFIXES = (".tif", ".tiff")
IMAGE_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg", ".bmp")
MASK_MARK = "napari-veinseg mask: 0 background, 1 vein, 2 unsure"
"""What a mask of ours says of itself, where files name the software that wrote them."""
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

    Raises
    ------
    VeinSegError
        If the file is missing, empty, damaged, cut off, of another format, without pixels, or
        would unpack to more memory than an image of its kind needs.
    """
    return read_stored(Path(path)).image()


def read_stored(path: Path) -> StoredImage:
    """Read the values of an image file and what they stand for, see `read_image`."""
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise VeinSegError(
            f"{path} is not an image that can be read: use {', '.join(IMAGE_SUFFIXES)}."
        )
    refuse_unopenable(path)
    try:
        stored = read_tiff(path) if is_tiff(path) else read_with_pillow(path)
    except (VeinSegError, KeyboardInterrupt):
        raise
    except Image.DecompressionBombError as error:
        raise VeinSegError(f"{path} has too many pixels: crop or downsample it.") from error
    except Exception as error:  # a decoder fed with a damaged file raises anything at all
        raise VeinSegError(
            f"{path} cannot be read: it is damaged, cut off or not the image that its name says; "
            "replace it or leave it out."
        ) from error
    if stored.values.size == 0:
        raise VeinSegError(f"{path} has no pixels (shape {stored.values.shape}): leave it out.")
    return stored


def read_mask(path: str | Path) -> MaskStack:
    """Read a mask.

    Parameters
    ----------
    path : str or Path
        An image whose values are 0 and 1, 0 and 255, 0 and 65535, or booleans (background, vein),
        or 0, 1 and 2 with 2 for unsure; grey, colour with equal channels, or one colour on black.
        Of a palette in colour (as of Pascal VOC) the numbers count, with 255 for unsure.

    Raises
    ------
    VeinSegError
        If the file cannot be read or holds other values.
    """
    path = Path(path)
    return as_mask(path, read_stored(path))


def as_mask(path: Path, stored: StoredImage) -> MaskStack:
    """Take what was read from a file as a mask, see `read_mask`."""
    if stored.palette is not None and not _is_grey(stored.image()):
        values = stored.values
        if np.isin(values, (0, 1, 2, 255)).all():
            return np.minimum(values, UNSURE).astype(np.uint8)
    # ImageJ's inverting look-up table changes what is shown, not which value is foreground.
    kept = stored.black is not None and stored.values.dtype != bool
    values = stored.values if kept else stored.image()
    if is_colour(values.shape):
        values = values[..., 0] if _is_grey(values) else _in_one_colour(path, values)
    # `isin` instead of `unique`: no sort of millions of pixels.
    if np.isin(values, (0, 1, 2)).all():
        return values.astype(np.uint8)
    if np.isin(values, (0, 255)).all() or np.isin(values, (0, 65535)).all():
        return np.not_equal(values, 0).astype(np.uint8)
    pieces = numbered_pieces(values)
    if pieces:
        raise VeinSegError(
            f"{path} is not a mask: it numbers its {pieces} pieces: make all that is vein 1."
        )
    raise VeinSegError(
        f"{path} is not a mask: it holds values other than 0 and 1 (or 0 and 255), 2 for unsure."
    )


def _in_one_colour(path: Path, image: AnyImage) -> MaskStack:
    """Read what is drawn on black in one colour, as CVAT and others write a class."""
    colours = image[..., :3]
    drawn = colours.any(-1)
    if drawn.all() or (colours[drawn] != colours[drawn][0]).any():
        raise VeinSegError(
            f"{path} is in colour: a mask holds 0 and 1 (or 255), 2 for unsure, or one "
            "colour on black."
        )
    return np.asarray(drawn, np.uint8)


def _is_grey(image: AnyImage) -> bool:
    return not (image[..., 1:3] != image[..., :1]).any()


def write_image(path: str | Path, image: npt.ArrayLike) -> None:
    """Write an image of numbers, as `read_image` gives them, as it is, whole or not at all.

    The file ends in `.tif`, or for one slice of 8 or 16 bits in `.png`; its folder must exist.

    Raises
    ------
    VeinSegError
        If the shape or the dtype do not fit, or the file cannot be written.
    """
    _write(Path(path), np.asarray(image))


def write_mask(path: str | Path, mask: MaskStack) -> None:
    """Write a mask, whole or not at all, as `.tif` or `.png`; its folder must exist.

    Values may be booleans; a stack goes into a tif alone.

    Raises
    ------
    VeinSegError
        If the values or the shape do not fit, or the file cannot be written.
    """
    mask = np.asarray(mask)
    with np.errstate(invalid="ignore"):  # what is no number differs from what it becomes
        labels = mask.astype(np.uint8)
    if np.any(labels != mask) or labels.max(initial=0) > UNSURE:
        raise VeinSegError(f"{path} was not written: a mask holds 0, 1 and 2 only.")
    _write(Path(path), labels, MASK_MARK)


def write_probability(path: str | Path, probability: ProbabilityStack) -> None:
    """Write a vein probability, whole or not at all; its folder must exist.

    A `.tif` keeps float32 and takes a stack; a `.png` holds the probability times 65535, rounded,
    in 16 bits.

    Raises
    ------
    VeinSegError
        If the shape does not fit or the file cannot be written.
    """
    path = Path(path)
    values = np.asarray(probability, np.float32)
    if path.suffix.lower() == ".png":
        values = np.rint(values * 65535).astype(np.uint16)
    _write(path, values)


def _write(path: Path, array: AnyImage, software: str = "") -> None:
    suffix, array = path.suffix.lower(), without_grey_axis(array)
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
