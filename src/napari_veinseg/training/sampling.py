"""Which samples steps are spent on: new and badly predicted ones more often, old ones kept in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.model.card import ModelCard
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.crops import Crops
from napari_veinseg.training.prepared_samples import PreparedSample
from napari_veinseg.training.rehearsal import remembered_samples

_LEAST = 0.25  # what a sample that is old and well predicted weighs
_NEW_FOR = 40  # crops after which a sample is no longer new
_BAD_FOR = 160  # crops after which an error on arrival says little about a sample
_REMEMBERED = 48  # synthetic images ...
_REMEMBERED_SHARE = 0.25  # ... that so many of the crops are of


def sampling_weights(
    stems: Sequence[str], errors: Mapping[str, float], drawn: Mapping[str, int]
) -> npt.NDArray[np.float64]:
    """Compute how often each sample is drawn.

    Parameters
    ----------
    stems : sequence of str
        The samples.
    errors : mapping of str to float
        Error on arrival, 1 - vein IoU, by stem; a half where it is unknown.
    drawn : mapping of str to int
        Crops that were taken of each so far.

    Returns
    -------
    ndarray
        Probabilities, one a sample; none is 0.
    """
    crops = np.array([drawn.get(stem, 0) for stem in stems], float)
    error = np.array([errors.get(stem, 0.5) for stem in stems], float)
    weights = _LEAST + np.exp(-crops / _NEW_FOR) + error * np.exp(-crops / _BAD_FOR)
    return np.asarray(weights / weights.sum())


def with_remembered(
    weights: npt.NDArray[np.float64], count: int, share: float
) -> npt.NDArray[np.float64]:
    """Let old samples join new ones.

    Parameters
    ----------
    weights : ndarray
        Probabilities of the new ones.
    count : int
        Old samples, which are all alike.
    share : float
        Of the draws that are of old ones, where there are any.

    Returns
    -------
    ndarray
        Probabilities of the new ones and, after them, of the old ones.
    """
    if not count:
        return weights
    return np.append((1 - share) * weights, np.full(count, share / count))


class WeightedCrops(Crops):
    """Crops of samples that are drawn by weight, for one round of steps.

    Parameters
    ----------
    samples : sequence of PreparedSample
        The pool.
    weights : ndarray
        Probability of each.
    first_step, steps : int
        The steps of the round.
    **how : object
        `largest_side`, `batch_size`, `augmentation`, `seed` and `scales` of `Crops`.
    """

    def __init__(
        self,
        samples: Sequence[PreparedSample],
        weights: npt.NDArray[np.float64],
        first_step: int,
        steps: int,
        **how: Any,
    ) -> None:
        super().__init__(samples, **how)
        rng = np.random.default_rng([how["seed"], first_step])
        self._first = first_step * self._batch_size
        drawn = rng.choice(len(samples), steps * self._batch_size, p=weights)
        self._order: list[int] = drawn.tolist()

    def _sample_of(self, number: int) -> PreparedSample:
        return self._samples[self._order[number - self._first]]

    def count_drawn(self, steps: int) -> Counter[str]:
        """Count the crops of each sample in this round."""
        return Counter(
            self._samples[index].stem for index in self._order[: steps * self._batch_size]
        )


class RoundSampler:
    """Draws the crops of one round after the other, and knows what was drawn before."""

    def __init__(self, config: TrainingConfig, base: ModelCard) -> None:
        self._config, self._base = config, base
        self._remembered: list[PreparedSample] | None = None  # made when they are first needed
        self._drawn: Counter[str] = Counter()

    def draw(
        self,
        reviewed: Mapping[str, PreparedSample],
        errors: Mapping[str, float],
        first_step: int,
        steps: int,
    ) -> WeightedCrops:
        """Draw the crops of a round, of reviewed samples and of what is rehearsed.

        Parameters
        ----------
        reviewed : mapping of str to PreparedSample
            What is to be learned, by stem.
        errors : mapping of str to float
            See `sampling_weights`.
        first_step, steps : int
            The steps of the round.
        """
        weights = sampling_weights(list(reviewed), errors, self._drawn)
        old = self._old_samples()
        return WeightedCrops(
            [*reviewed.values(), *old],
            with_remembered(weights, len(old), _REMEMBERED_SHARE),
            first_step,
            steps,
            largest_side=self._config.crop,
            batch_size=self._config.batch_size,
            augmentation=self._config.augmentation,
            seed=self._config.seed,
            scales=self._base.scales,
        )

    def count(self, crops: WeightedCrops, steps: int) -> None:
        """Count what was learned from."""
        self._drawn += crops.count_drawn(steps)

    def renew(self, stem: str) -> None:
        """Take a sample for a new one."""
        self._drawn.pop(stem, None)

    def _old_samples(self) -> list[PreparedSample]:
        """Give what is kept in of what the base has learned; what begins from nothing has none."""
        if self._remembered is None:
            count = _REMEMBERED if self._config.base else 0
            self._remembered = remembered_samples(self._base, count)
        return self._remembered
