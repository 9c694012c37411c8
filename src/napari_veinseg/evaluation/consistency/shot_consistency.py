"""Without truth: masks of one finger should agree after a small shift, those of two should not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Mask
from napari_veinseg.evaluation.bootstrap import Estimate, estimate
from napari_veinseg.evaluation.consistency.equal_error_rate import Scores, d_prime, equal_error_rate
from napari_veinseg.evaluation.consistency.miura_matching import Matcher
from napari_veinseg.evaluation.consistency.pairs import MaskPairs


@dataclass(frozen=True)
class MaskConsistency:
    """How well masks tell fingers apart."""

    genuine: Scores
    """`(n,)`, scores of pairs of one finger."""
    impostor: Scores
    """Likewise, of two fingers."""
    equal_error_rate: Estimate
    """At which as many genuine pairs are refused as impostors are accepted."""
    d_prime: Estimate
    """Distance of the mean scores in their standard deviations."""
    drawn_error_rates: NDArray[np.float64]
    """`(replicates,)`, the equal error rate of each bootstrap draw."""


def measure_consistency(masks: Mapping[str, Mask], pairs: MaskPairs) -> MaskConsistency:
    """Judge masks by how well they tell fingers apart.

    They have any sizes, and there is one for each of `pairs.stems`.
    """
    matcher = Matcher([masks[stem] for stem in pairs.stems])
    genuine, impostor = matcher.scores(pairs.genuine), matcher.scores(pairs.impostor)
    rates, distances = _replicates(genuine, impostor, pairs)
    return MaskConsistency(
        genuine,
        impostor,
        estimate(equal_error_rate(genuine, impostor), rates),
        estimate(d_prime(genuine, impostor), distances),
        rates,
    )


def subtract_error_rates(first: MaskConsistency, second: MaskConsistency) -> Estimate:
    """Subtract the second equal error rate, of the same pairs: below 0 the first wins."""
    return estimate(
        first.equal_error_rate.value - second.equal_error_rate.value,
        first.drawn_error_rates - second.drawn_error_rates,
    )


def _replicates(genuine: Scores, impostor: Scores, pairs: MaskPairs) -> tuple[Scores, Scores]:
    rates, distances = [], []
    for within, between in zip(*pairs.weights(), strict=True):
        # A draw of a single finger, or of fingers with one shot, has no such pairs: no figure.
        if within.any() and between.any():
            rates.append(equal_error_rate(genuine, impostor, within, between))
            distances.append(d_prime(genuine, impostor, within, between))
    return np.array(rates), np.array(distances)
