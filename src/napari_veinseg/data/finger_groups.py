"""Which shots show the same finger: by a pattern in their names, and by how alike they look."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import ImageArray
from napari_veinseg.data.grey import to_grey, without_gaps
from napari_veinseg.errors import VeinSegError

# Shot numbers at the end: `004_L_3`, `s12-index-07`, `anna left (2)`.
_COMMON_PATTERNS = (r"^(.+)[_\-. ]\(?\d{1,3}\)?$", r"^(.+?)[_\-. ].*$")
_THUMBNAIL = (32, 64)

NEAR_DUPLICATE = 0.98
"""The similarity from which on two shots are as good as one."""

Thumbnail = Annotated[npt.NDArray[np.float32], "`(32, 64)`, grey values"]
Spectrum: TypeAlias = Annotated[
    npt.NDArray[np.complex64], "Fourier transform of a thumbnail of mean 0 and norm 1"
]


def compile_finger_pattern(pattern: str | None) -> re.Pattern[str] | None:
    r"""Compile the pattern whose first group is the finger in a stem, such as ``^(.+)_\d+$``."""
    if not pattern:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise VeinSegError(
            f"The finger pattern '{pattern}' is no regular expression ({error}): correct it."
        ) from error
    if compiled.groups < 1:
        raise VeinSegError(
            f"The finger pattern '{pattern}' has no group: put ( ) around the subject's part."
        )
    return compiled


def finger_in(stem: str, pattern: re.Pattern[str] | None) -> str:
    """Find the finger in a stem; empty where there is none, or no pattern."""
    found = pattern.search(stem) if pattern else None
    return (found[1] or "") if found else ""


def suggest_finger_pattern(stems: Sequence[str]) -> str | None:
    """Suggest a pattern for the user to confirm; nothing applies it unasked.

    It finds at least two fingers, some with several shots, in all names.
    """
    for pattern in _COMMON_PATTERNS:
        matches = [re.search(pattern, stem) for stem in stems]
        fingers = {match[1] for match in matches if match}
        if all(matches) and 1 < len(fingers) < len(stems):
            return pattern
    return None


class Shot(Protocol):
    """A sample whose looks are known."""

    @property
    def thumbnail(self) -> Spectrum:
        """See `thumbnail_spectrum`."""


AShot = TypeVar("AShot", bound=Shot)


def first_alike(thumbnail: Spectrum, shots: Iterable[AShot]) -> AShot | None:
    """Find the first of some shots that is as good as the one with this thumbnail, if any is."""
    alike = (each for each in shots if similarity(thumbnail, each.thumbnail) >= NEAR_DUPLICATE)
    return next(alike, None)


def make_thumbnail(image: ImageArray) -> Thumbnail:
    """Make an image so small that only its large shapes are left."""
    from skimage.transform import resize

    grey = without_gaps(to_grey(image))
    down, across = (max(1, grey.shape[axis] // (4 * _THUMBNAIL[axis])) for axis in (0, 1))
    rows, columns = grey.shape[0] // down, grey.shape[1] // across
    # Means of blocks first: on a photograph they take a hundredth of the time of a Gaussian.
    blocks = grey[: rows * down, : columns * across].reshape(rows, down, columns, across)
    small = resize(blocks.mean(axis=(1, 3)), _THUMBNAIL, anti_aliasing=True)
    return np.asarray(small, np.float32)


def thumbnail_spectrum(image: ImageArray) -> Spectrum:
    """Reduce an image to what tells whether another one looks like it.

    A thumbnail gives what its image gave.
    """
    small = image if image.shape == _THUMBNAIL else make_thumbnail(image)
    small = small - small.mean()
    # The smallest number keeps a constant image finite: it is like no other.
    unit = small / max(float(np.linalg.norm(small)), 1e-12)
    return np.asarray(np.fft.rfft2(unit), np.complex64)


def similarity(first: Spectrum, second: Spectrum) -> float:
    """Correlate two thumbnails at the best of all shifts."""
    return float(np.fft.irfft2(first * second.conj(), s=_THUMBNAIL).max())
