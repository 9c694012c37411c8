"""Images and masks on disk, and the grey image that everything else works on.

Colour or stack?  One rule, by shape alone: an array whose *last* axis holds 3 or 4 values and that
has at least three axes is in colour; every other array with three axes is a stack `(N, Y, X)`.  A
stack of images that are 3 or 4 px wide does not exist in practice.
"""

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from napari_veinseg.data.decoders import (
    read_tiff,
    read_with_pillow,
    refuse_unopenable,
    write_tiff,
)
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path

Array = npt.NDArray[Any]
Channel = Literal["luminance", "red", "green", "blue"] | int
_CHANNELS: dict[str, Channel] = {"luminance": "luminance", "red": 0, "green": 1, "blue": 2}

TIFF_SUFFIXES = (".tif", ".tiff")
IMAGE_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg", ".bmp")

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709


def list_images(folder: str | Path) -> list[Path]:
    """List the images of a folder, without those of its subfolders.

    Parameters
    ----------
    folder : str or Path
        An existing folder.

    Returns
    -------
    list of Path
        Files with a suffix of `IMAGE_SUFFIXES` in any case, hidden ones left out, sorted by name.

    Raises
    ------
    VeinSegError
        If the folder does not exist or may not be read.
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


def read_image(path: str | Path) -> Array:
    """Read an image as it is stored.

    Parameters
    ----------
    path : str or Path
        A tif (8, 16, 32 or 64 bits, integer or float, one or many pages), png, jpg or bmp file.
        Colour png files of 16 bits are read with 8.

    Returns
    -------
    ndarray
        Shape `(Y, X)`, `(N, Y, X)`, `(Y, X, 3 or 4)` or `(N, Y, X, 3 or 4)`, in the dtype and
        orientation of the file.

    Raises
    ------
    VeinSegError
        If the file is missing, empty, damaged, cut off, of another format, without pixels, or
        would unpack to more memory than an image of its kind needs.
    """
    path = Path(path)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise VeinSegError(
            f"{path} is not an image that can be read: use {', '.join(IMAGE_SUFFIXES)}."
        )
    refuse_unopenable(path)
    try:
        tiff = path.suffix.lower() in TIFF_SUFFIXES
        image = read_tiff(path) if tiff else None
        if image is None:
            image = read_with_pillow(path)
    except (VeinSegError, KeyboardInterrupt):
        raise
    except Image.DecompressionBombError as error:
        raise VeinSegError(f"{path} has too many pixels: crop or downsample it.") from error
    except Exception as error:  # a decoder fed with a damaged file raises anything at all
        raise VeinSegError(
            f"{path} cannot be read: it is damaged, cut off or not the image that its name says; "
            "replace it or leave it out."
        ) from error
    if image.size == 0:
        raise VeinSegError(f"{path} has no pixels (shape {image.shape}): leave it out.")
    return image


def read_mask(path: str | Path) -> npt.NDArray[np.uint8]:
    """Read a mask.

    Parameters
    ----------
    path : str or Path
        An image whose values are 0/1, 0/255 or booleans (background, vein), or 0/1/2 with 2 for
        unsure; grey, or colour with equal channels.

    Returns
    -------
    ndarray of uint8
        Shape `(Y, X)` or `(N, Y, X)`: 0 background, 1 vein, 2 unsure.

    Raises
    ------
    VeinSegError
        If the file cannot be read or holds other values.
    """
    stored = read_image(path)
    if is_colour(stored.shape):
        if (stored[..., :3] != stored[..., :1]).any():
            raise VeinSegError(f"{path} is in colour: a mask holds 0 and 1 (or 255), 2 for unsure.")
        stored = stored[..., 0]
    # `isin` instead of `unique`: no sort of millions of pixels.
    if np.isin(stored, (0, 1, 2)).all():
        return stored.astype(np.uint8)
    if np.isin(stored, (0, 255)).all():
        return np.not_equal(stored, 0).astype(np.uint8)
    raise VeinSegError(
        f"{path} is not a mask: it holds values other than 0 and 1 (or 0 and 255), 2 for unsure."
    )


def write_image(path: str | Path, image: npt.ArrayLike) -> None:
    """Write an image as it is, whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file to create or replace, `.tif` or (one slice of 8 or 16 bits) `.png`; its folder
        must exist.
    image : array_like
        Any shape that `read_image` gives, of numbers.

    Raises
    ------
    VeinSegError
        If the shape or the dtype do not fit, or the file cannot be written.
    """
    _write(Path(path), np.asarray(image))


def write_mask(path: str | Path, mask: Array) -> None:
    """Write a mask, whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file to create or replace, `.tif` or `.png`; its folder must exist.
    mask : ndarray
        Shape `(Y, X)`, or `(N, Y, X)` into a tif; values 0, 1 and 2, or booleans.

    Raises
    ------
    VeinSegError
        If the values or the shape do not fit, or the file cannot be written.
    """
    mask = np.asarray(mask)
    if not np.isin(mask, (0, 1, 2)).all():
        raise VeinSegError(f"{path} was not written: a mask holds 0, 1 and 2 only.")
    _write(Path(path), mask.astype(np.uint8))


def write_probability(path: str | Path, probability: Array) -> None:
    """Write a vein probability, whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file to create or replace; its folder must exist.  `.tif` keeps float32; `.png` holds
        the probability times 65535, rounded, in 16 bits.
    probability : ndarray
        Shape `(Y, X)`, or `(N, Y, X)` into a tif; values in [0, 1].

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


def _write(path: Path, array: Array) -> None:
    suffix = path.suffix.lower()
    colour = is_colour(array.shape)
    if suffix not in (*TIFF_SUFFIXES, ".png"):
        raise VeinSegError(f"{path} was not written: choose a name that ends in .tif or .png.")
    if array.size == 0 or array.ndim - colour not in (2, 3):
        raise VeinSegError(f"{path} was not written: {array.shape} is no image and no stack.")
    if suffix == ".png" and (array.ndim - colour == 3 or array.dtype not in ("u1", "u2")):
        raise VeinSegError(f"{path} was not written: choose .tif for stacks and floats.")
    try:
        with atomic_path(path) as temporary:
            if suffix == ".png":
                Image.fromarray(array).save(temporary)
            else:
                write_tiff(temporary, array, colour)
    except OSError as error:
        raise VeinSegError(
            f"{path} was not written ({error.strerror or error}): check folder, rights and space."
        ) from error


def is_colour(shape: tuple[int, ...]) -> bool:
    """Tell a colour image from a stack by the rule at the top of this module.

    Parameters
    ----------
    shape : tuple of int
        The shape of an image.

    Returns
    -------
    bool
        Whether the last axis holds colours.
    """
    return len(shape) >= 3 and shape[-1] in (3, 4)


def to_grey(
    image: npt.ArrayLike, channel: Channel = "luminance", invert: bool = False
) -> npt.NDArray[np.float32]:
    """Make the grey image in which veins are dark.

    Parameters
    ----------
    image : array_like
        Shape `(Y, X)`, `(N, Y, X)`, `(Y, X, 3 or 4)` or `(N, Y, X, 3 or 4)` (see `is_colour`), of
        booleans, integers or floats in any range.
    channel : {"luminance", "red", "green", "blue"} or int, optional
        What to take from a colour image; a grey image is taken as it is, so that a folder may
        hold both.
    invert : bool, optional
        Change the sign, for images with bright veins.

    Returns
    -------
    ndarray of float32
        Shape `(Y, X)` or `(N, Y, X)`.

    Raises
    ------
    VeinSegError
        If the image has no pixels, another shape or other values, or has no such channel.
    """
    array = np.asarray(image)
    colour = is_colour(array.shape)
    if array.dtype.kind not in "biuf":
        raise VeinSegError(
            f"An image of {array.dtype} values cannot be segmented: convert it to numbers first."
        )
    if array.size == 0 or array.ndim - colour not in (2, 3):
        raise VeinSegError(
            f"An image of shape {array.shape} cannot be segmented: give (Y, X), a stack (N, Y, X) "
            "or colours as the last axis."
        )
    grey = _one_channel(array, channel) if colour else array.astype(np.float32)
    return np.negative(grey, out=grey) if invert else grey


def _one_channel(array: Array, channel: Channel) -> npt.NDArray[np.float32]:
    index = parse_channel(channel) if isinstance(channel, str) else channel
    if index == "luminance":
        return array[..., :3].astype(np.float32) @ _LUMINANCE
    if isinstance(index, str) or not 0 <= index < array.shape[-1]:
        raise VeinSegError(
            f"The image has no channel {channel}: choose luminance, red, green, blue or a "
            f"number from 0 to {array.shape[-1] - 1}."
        )
    return array[..., index].astype(np.float32)


def parse_channel(text: str) -> Channel:
    """Read the name or the number of a channel.

    Parameters
    ----------
    text : str
        `luminance`, `red`, `green`, `blue` or a number from 0.

    Returns
    -------
    str or int
        `luminance` or a number.

    Raises
    ------
    VeinSegError
        If it is none of these.
    """
    if text.isdecimal():
        return int(text)
    if text not in _CHANNELS:
        raise VeinSegError(
            f"There is no channel {text!r}: choose luminance, red, green, blue or a number from 0."
        )
    return _CHANNELS[text]


def image_hash(image: npt.ArrayLike) -> str:
    """Hash the content of an image: equal pixels of equal type and shape give equal hashes.

    Parameters
    ----------
    image : array_like
        Any array of numbers; byte order and memory layout do not matter.

    Returns
    -------
    str
        64 hexadecimal digits (SHA-256).
    """
    array = np.asarray(image)
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(array.data)
    return digest.hexdigest()
