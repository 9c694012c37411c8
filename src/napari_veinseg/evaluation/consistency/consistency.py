"""Without truth: masks of one finger should agree after a small shift, those of two should not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.fingers import compile_finger_pattern
from napari_veinseg.data.images import list_images, read_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.bootstrap import Estimate, Grouping, estimate, grouping
from napari_veinseg.evaluation.consistency.miura import Matcher, Pairs
from napari_veinseg.evaluation.consistency.verification import Scores, d_prime, equal_error_rate

IMPOSTOR_PAIRS = 2000


@dataclass(frozen=True)
class Consistency:
    """How well masks tell fingers apart.

    Parameters
    ----------
    genuine, impostor : NDArray[np.float64]
        Scores of pairs of one finger and of two.
    equal_error_rate, d_prime : Estimate
        Rate at which as many genuine pairs are refused as impostors are accepted; distance of
        the mean scores in their standard deviations.
    by_finger : bool
        Whether the intervals resample fingers (or, below five, images: too narrow).
    """

    genuine: Scores
    impostor: Scores
    equal_error_rate: Estimate
    d_prime: Estimate
    by_finger: bool


@dataclass(frozen=True)
class Protocol:
    """Which masks are matched; the same for all folders that are compared.

    Parameters
    ----------
    stems : tuple of str
        The masks' names.
    groups : Grouping
        What is resampled.
    genuine, impostor : NDArray[np.intp]
        `(n, 2)` numbers of masks.
    """

    stems: tuple[str, ...]
    groups: Grouping
    genuine: Pairs
    impostor: Pairs

    def weights(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Tell how often each pair stands in each bootstrap draw.

        Returns
        -------
        genuine, impostor : NDArray[np.float64]
            `(replicates, n)`.  A pair within a resampled finger counts as often as the finger,
            any other as often as both its groups together.
        """
        drawn = self.groups.draws(1000)
        first, second = (self.groups.group[self.genuine[:, side]] for side in (0, 1))
        within = drawn[:, first] * np.where(first == second, 1, drawn[:, second])
        one, other = (drawn[:, self.groups.group[self.impostor[:, side]]] for side in (0, 1))
        return within, one * other


def protocol(
    stems: Sequence[str], finger_pattern: str, impostor_pairs: int = IMPOSTOR_PAIRS, seed: int = 0
) -> Protocol:
    r"""Choose the pairs: all of one finger, and some of two, drawn by the seed.

    Parameters
    ----------
    stems : sequence of str
        Names of masks.
    finger_pattern : str
        A regular expression whose first group is the finger, such as ``^(.+)_\d+$``.
    impostor_pairs : int
        How many pairs of two fingers, at most.
    seed : int
        Seed of the draw.

    Returns
    -------
    Protocol
        The pairs.

    Raises
    ------
    VeinSegError
        If a name does not fit the pattern, or there are not two fingers, one with two shots.
    """
    fingers = _fingers(stems, finger_pattern)
    number = np.unique(fingers, return_inverse=True)[1]
    pairs = np.transpose(np.triu_indices(len(stems), k=1)).astype(np.intp)
    same = number[pairs[:, 0]] == number[pairs[:, 1]]
    genuine, impostor = pairs[same], pairs[~same]
    if not len(genuine) or not len(impostor):
        raise VeinSegError(
            f"The finger pattern {finger_pattern!r} finds {number.max() + 1} fingers in "
            f"{len(stems)} masks: two are needed, and two shots of one; check the pattern."
        )
    chosen = np.random.default_rng(seed).permutation(len(impostor))[:impostor_pairs]
    return Protocol(tuple(stems), grouping(fingers), genuine, impostor[np.sort(chosen)])


def _fingers(stems: Sequence[str], pattern: str) -> list[str]:
    compiled = compile_finger_pattern(pattern)
    fingers = []
    for stem in stems:
        match = compiled.search(stem) if compiled else None
        if match is None or not match[1]:
            raise VeinSegError(
                f"The finger pattern {pattern!r} finds no finger in {stem!r}: mend the pattern."
            )
        fingers.append(match[1])
    return fingers


def read_masks(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """Read the masks of a folder.

    Parameters
    ----------
    folder : Path
        A folder of `(Y, X)` masks of one shape.

    Returns
    -------
    dict of str to NDArray[np.uint8]
        The masks by stem.

    Raises
    ------
    VeinSegError
        If it holds no mask, or masks of several shapes.
    """
    masks = {path.stem: read_mask(path) for path in list_images(folder)}
    shapes = sorted({mask.shape for mask in masks.values()})
    if not masks:
        raise VeinSegError(f"{folder} holds no masks: name a folder of them.")
    if len(shapes) > 1 or len(shapes[0]) != 2:
        raise VeinSegError(
            f"{folder} holds masks of the shapes {', '.join(map(str, shapes))}: matching needs "
            "single masks of one shape; crop them to it."
        )
    return masks


def consistency(masks: Mapping[str, NDArray[Any]], plan: Protocol) -> Consistency:
    """Judge masks by how well they tell fingers apart.

    Parameters
    ----------
    masks : mapping of str to NDArray
        Masks by stem, one for each of `plan.stems`.
    plan : Protocol
        The pairs.

    Returns
    -------
    Consistency
        Scores and figures.
    """
    matcher = Matcher([masks[stem] for stem in plan.stems])
    genuine, impostor = matcher.scores(plan.genuine), matcher.scores(plan.impostor)
    rates, distances = _replicates(genuine, impostor, plan)
    return Consistency(
        genuine,
        impostor,
        estimate(equal_error_rate(genuine, impostor), rates),
        estimate(d_prime(genuine, impostor), distances),
        plan.groups.by_finger,
    )


def difference(first: Consistency, second: Consistency, plan: Protocol) -> Estimate:
    """Compare the equal error rates of two folders on the same pairs and the same draws.

    Parameters
    ----------
    first, second : Consistency
        Of masks that `plan` names.
    plan : Protocol
        The pairs.

    Returns
    -------
    Estimate
        First minus second with its interval: below 0 the first folder is better.
    """
    rates = [_replicates(each.genuine, each.impostor, plan)[0] for each in (first, second)]
    return estimate(
        first.equal_error_rate.value - second.equal_error_rate.value, rates[0] - rates[1]
    )


def _replicates(genuine: Scores, impostor: Scores, plan: Protocol) -> tuple[Scores, Scores]:
    rates, distances = [], []
    for within, between in zip(*plan.weights(), strict=True):
        # A draw of a single finger, or of fingers with one shot, has no such pairs: no figure.
        if within.any() and between.any():
            rates.append(equal_error_rate(genuine, impostor, within, between))
            distances.append(d_prime(genuine, impostor, within, between))
    return np.array(rates), np.array(distances)
