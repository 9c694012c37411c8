"""The grey image that everything else works on.

Colour or stack?  One rule, by shape alone: an array whose *last* axis holds 1 to 4 values and that
has at least three axes holds grey (1), grey with alpha (2) or colours (3, 4) there; every other
array with three axes is a stack `(N, Y, X)`.  A stack of images that are 4 px wide does not exist
in practice.
"""

from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import AnyImage, GreyArray
from napari_veinseg.errors import VeinSegError

Channel = Literal["auto", "luminance", "red", "green", "blue"] | int
Shares = Annotated[npt.NDArray[np.float32], "`(3,)`, of the colours, in [0, 1], their sum is 1"]
_CHANNELS: dict[str, Channel] = {
    "auto": "auto", "luminance": "luminance", "red": 0, "green": 1, "blue": 2
}  # fmt: skip
CHANNELS = tuple(_CHANNELS)
"""Names of what can be taken from a colour image; a number is taken, too."""

_SOME = 10_000  # pixels
_PEDESTAL = 2.0**15
_INFINITE = 2.0**100  # no picture is on such a pedestal

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709
OVEREXPOSED = 0.98  # of the way from the darkest value of all colours to the brightest
SPARED = 0.01  # overexposed share of a colour's pixels that takes it down to 1/e of its share


def is_colour(shape: tuple[int, ...]) -> bool:
    """Tell a colour image from a stack by the rule at the top of this module."""
    return len(shape) >= 3 and shape[-1] in (1, 2, 3, 4)


def without_grey_axis(image: AnyImage) -> AnyImage:
    """Drop a last axis that holds grey, or grey with alpha: `(Y, X)` of `(Y, X, 1 or 2)`."""
    return image[..., 0] if is_colour(image.shape) and image.shape[-1] < 3 else image


def grey_offset(values: npt.ArrayLike) -> float:
    """Find the constant that grey values must lose first where float32 would lose the picture.

    It is their median in 32 or 64 bits where that is large, else 0.  float32 carries seven digits:
    beside a pedestal of a billion a picture of 8 bits is gone.
    """
    array = np.asarray(values)
    if array.dtype.itemsize < 4 or array.dtype.kind not in "iuf" or array.dtype == np.float32:
        return 0.0
    some = array.ravel()[:: array.size // _SOME + 1]
    if array.dtype.kind == "f":
        some = some[np.isfinite(some)]
    middle = float(np.median(some)) if some.size else 0.0
    return middle if _PEDESTAL <= abs(middle) < _INFINITE else 0.0


def to_grey(
    image: npt.ArrayLike,
    channel: Channel | Shares = "auto",
    invert: bool = False,
    offset: float | None = None,
) -> npt.NDArray[np.float32]:
    """Make the grey image in which veins are dark.

    Parameters
    ----------
    image : array_like
        Shape `(Y, X)`, `(N, Y, X)`, `(Y, X, 1 to 4)` or `(N, Y, X, 1 to 4)` (see `is_colour`), of
        booleans, integers or floats in any range.
    channel : {"auto", "luminance", "red", "green", "blue"}, int or ndarray, optional
        What to take from a colour image; a grey image is taken as it is, so that a folder may
        hold both.  "auto" is the luminance without the colours that are overexposed, in each image
        of a stack.  Parts of one image are given the same `colour_shares`.
    invert : bool, optional
        Change the sign, for images with bright veins.
    offset : float, optional
        What is taken from every value first; by default what `grey_offset` says of the image.
        Parts of one image are given the same.

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
    array = without_grey_axis(array)
    offset = grey_offset(array) if offset is None else offset
    if offset:
        array = array.astype(np.float64) - offset
    colour = is_colour(array.shape)
    grey = _one_channel(array, channel) if colour else array.astype(np.float32)
    return np.negative(grey, out=grey) if invert else grey


def colour_shares(
    pixels: Annotated[npt.NDArray[Any], "`(..., 3 or 4)`: all of an image or some of it"],
) -> Shares:
    """Weigh the colours of an image: as in luminance, but hardly what is overexposed.

    A near-infrared photograph in colour is often overexposed in two colours and not in the third:
    where one is cut off its veins are gone, and the border of that region looks like one.
    """
    colours = pixels[..., :3].reshape(-1, 3)
    darkest, brightest = (float(limit(colours)) for limit in (np.min, np.max))
    if not darkest < brightest < _INFINITE:
        return LUMINANCE
    cut_off = np.mean(colours >= darkest + OVEREXPOSED * (brightest - darkest), axis=0)
    shares = LUMINANCE * np.exp((cut_off.min() - cut_off) / SPARED)
    return np.asarray(shares / shares.sum(), np.float32)


def _one_channel(array: npt.NDArray[Any], channel: Channel | Shares) -> npt.NDArray[np.float32]:
    if isinstance(channel, np.ndarray):
        return array[..., :3].astype(np.float32) @ channel
    index = parse_channel(channel) if isinstance(channel, str) else channel
    if index == "luminance":
        return _one_channel(array, LUMINANCE)
    if index == "auto" and array.ndim == 4:
        return np.stack([_one_channel(each, "auto") for each in array])
    if index == "auto":
        return _one_channel(array, colour_shares(array))
    if isinstance(index, str) or not 0 <= index < array.shape[-1]:
        raise VeinSegError(
            f"The image has no channel {channel}: choose {', '.join(CHANNELS)} or a "
            f"number from 0 to {array.shape[-1] - 1}."
        )
    return array[..., index].astype(np.float32)


def without_gaps(grey: GreyArray) -> GreyArray:
    """Put the median in the place of what is not finite, where a filter would spread it.

    An array that is finite is given back itself; 0 stands where nothing is.
    """
    finite = np.isfinite(grey)
    if finite.all():
        return grey
    return np.where(finite, grey, np.median(grey[finite]) if finite.any() else np.float32(0))


def is_constant(grey: GreyArray) -> bool:
    """Tell whether an image shows nothing: all its pixels are equal, none of them NaN."""
    # Two pixels settle it for most images.
    return bool(grey.flat[0] == grey.flat[-1] and grey.min() == grey.max())


def parse_channel(text: str) -> Channel:
    """Read a channel, one of `CHANNELS` or a number; red, green and blue become 0, 1, 2."""
    if text.isdecimal():
        return int(text)
    if text not in _CHANNELS:
        raise VeinSegError(
            f"There is no channel {text!r}: choose {', '.join(CHANNELS)} or a number from 0."
        )
    return _CHANNELS[text]


def percentiles(
    values: Annotated[npt.NDArray[np.floating[Any]], "of any shape, finite, at least one"],
    *shares: Annotated[float, "in [0, 100]"],
) -> list[float]:
    """Interpolate percentiles linearly between grey values.

    A sort runs in vector units, and takes a fifth of the time of `numpy.percentile`.
    """
    ordered = np.sort(values, axis=None)
    places = [(ordered.size - 1) * share / 100 for share in shares]
    around = [(int(place), min(int(place) + 1, ordered.size - 1), place % 1) for place in places]
    return [
        float(ordered[below]) * (1 - beyond) + float(ordered[above]) * beyond
        for below, above, beyond in around
    ]
