"""Which samples steps are spent on: new and badly predicted ones more often, old ones kept in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.training.crops import Crops
from napari_veinseg.training.prepared_samples import PreparedSample

_LEAST = 0.25  # what a sample that is old and well predicted weighs
_NEW_FOR = 40  # crops after which a sample is no longer new
_BAD_FOR = 160  # crops after which an error on arrival says little about a sample


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
        `largest_side`, `batch_size`, `augmentation` and `seed` of `Crops`.
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
        """Count the crops of each sample in this round.

        Parameters
        ----------
        steps : int
            Those that were taken.

        Returns
        -------
        Counter
            By stem.
        """
        return Counter(
            self._samples[index].stem for index in self._order[: steps * self._batch_size]
        )
