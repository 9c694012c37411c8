"""Which shots show the same finger: by a pattern in their names, and by how alike they look."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.grey import to_grey
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError

# Shot numbers at the end: `004_L_3`, `s12-index-07`, `anna left (2)`.
_COMMON_PATTERNS = (r"^(.+)[_\-. ]\(?\d{1,3}\)?$", r"^(.+?)[_\-. ].*$")
_THUMBNAIL = (32, 64)


def compile_finger_pattern(pattern: str | None) -> re.Pattern[str] | None:
    r"""Compile the pattern that finds the finger in a stem.

    Parameters
    ----------
    pattern : str or None
        A regular expression with one group, for instance ``^(.+)_\d+$``.

    Returns
    -------
    re.Pattern or None
        The compiled pattern.

    Raises
    ------
    VeinSegError
        If it is no regular expression with a group.
    """
    if not pattern:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise VeinSegError(
            f"The finger pattern {pattern!r} is no regular expression ({error}): correct it."
        ) from error
    if compiled.groups < 1:
        raise VeinSegError(
            f"The finger pattern {pattern!r} has no group: put ( ) around the finger's part."
        )
    return compiled


def suggest_finger_pattern(stems: Sequence[str]) -> str | None:
    """Suggest a pattern for the user to confirm; nothing applies it unasked.

    Parameters
    ----------
    stems : sequence of str
        The names of the samples.

    Returns
    -------
    str or None
        A pattern that finds at least two fingers, some with several shots, in all names.
    """
    for pattern in _COMMON_PATTERNS:
        matches = [re.search(pattern, stem) for stem in stems]
        fingers = {match[1] for match in matches if match}
        if all(matches) and 1 < len(fingers) < len(stems):
            return pattern
    return None


def thin_near_duplicates(samples: Iterable[Sample], similarity: float = 0.98) -> list[Sample]:
    """Leave out shots that look like an earlier shot of the same finger.

    Two shots are alike when their thumbnails correlate, at the best of all shifts.

    Parameters
    ----------
    samples : iterable of Sample
        Those of an unknown finger, and those that cannot be read, all stay.
    similarity : float, optional
        The correlation from which on a shot counts as a duplicate, in [0, 1].

    Returns
    -------
    list of Sample
        Those that stay, in order.
    """
    kept: list[Sample] = []
    spectra: dict[str, list[npt.NDArray[np.complex64]]] = {}
    for sample in samples:
        spectrum = _thumbnail_spectrum(sample) if sample.finger else None
        if sample.finger and spectrum is not None:
            earlier = spectra.setdefault(sample.finger, [])
            if any(_best_correlation(spectrum, other) >= similarity for other in earlier):
                continue
            earlier.append(spectrum)
        kept.append(sample)
    return kept


def _thumbnail_spectrum(sample: Sample) -> npt.NDArray[np.complex64] | None:
    from skimage.transform import resize

    try:
        grey = to_grey(sample.image())
    except VeinSegError:
        return None
    small = resize(grey, _THUMBNAIL, anti_aliasing=True)
    small = small - small.mean()
    # The smallest number keeps a constant image finite: it is like no other.
    unit = small / max(float(np.linalg.norm(small)), 1e-12)
    return np.asarray(np.fft.rfft2(unit), np.complex64)


def _best_correlation(first: npt.NDArray[np.complex64], second: npt.NDArray[np.complex64]) -> float:
    return float(np.fft.irfft2(first * second.conj(), s=_THUMBNAIL).max())
