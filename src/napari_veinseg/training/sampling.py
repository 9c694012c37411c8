"""Which samples steps are spent on: new and badly predicted ones more often, old ones kept in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import Share
from napari_veinseg.model.card import ModelCard
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.crops import Crops, Scale
from napari_veinseg.training.prepared_samples import PreparedSample
from napari_veinseg.training.rehearsal import remembered_samples

Errors = Annotated[Mapping[str, float], "error on arrival, 1 - vein IoU, by stem"]
Weights = Annotated[npt.NDArray[np.float64], "`(n,)`, probabilities of the samples"]

_LEAST = 0.25  # what a sample that is old and well predicted weighs
_NEW_FOR = 40  # crops after which a sample is no longer new
_BAD_FOR = 160  # crops after which an error on arrival says little about a sample
_REMEMBERED = 48  # synthetic images ...
_REMEMBERED_SHARE = 0.25  # ... that so many of the crops are of


def sampling_weights(stems: Sequence[str], errors: Errors, drawn: Mapping[str, int]) -> Weights:
    """Compute how often each sample is drawn, by its error and the crops that were taken of it.

    No weight is 0; an error that is unknown counts as a half.
    """
    crops = np.array([drawn.get(stem, 0) for stem in stems], float)
    error = np.array([errors.get(stem, 0.5) for stem in stems], float)
    weights = _LEAST + np.exp(-crops / _NEW_FOR) + error * np.exp(-crops / _BAD_FOR)
    return np.asarray(weights / weights.sum())


def with_remembered(weights: Weights, count: int, share: Share) -> Weights:
    """Let old samples, which are all alike, join new ones, and take a share of the draws."""
    if not count:
        return weights
    return np.append((1 - share) * weights, np.full(count, share / count))


class WeightedCrops(Crops):
    """Crops of samples that are drawn by weight, for one round of steps."""

    def __init__(
        self,
        samples: Sequence[PreparedSample],
        weights: Weights,
        first_step: int,
        steps: int,
        config: TrainingConfig,
        scales: Sequence[Scale],
    ) -> None:
        super().__init__(samples, config, scales)
        rng = np.random.default_rng([config.seed, first_step])
        self._first = first_step * self.batch_size
        drawn = rng.choice(len(samples), steps * self.batch_size, p=weights)
        self._order: list[int] = drawn.tolist()

    def _sample_of(self, number: int) -> PreparedSample:
        return self._samples[self._order[number - self._first]]

    def count_drawn(self, steps: int) -> Counter[str]:
        """Count the crops of each sample in this round."""
        return Counter(
            self._samples[index].stem for index in self._order[: steps * self.batch_size]
        )


class RoundSampler:
    """Draws the crops of one round after the other, and knows what was drawn before."""

    def __init__(self, config: TrainingConfig, base: ModelCard) -> None:
        self._config, self._base = config, base
        self._drawn: Counter[str] = Counter()

    def draw(
        self,
        reviewed: Mapping[str, PreparedSample],
        errors: Errors,
        first_step: int,
        steps: int,
    ) -> WeightedCrops:
        """Draw the crops of a round, of reviewed samples and of what is rehearsed."""
        weights = sampling_weights(list(reviewed), errors, self._drawn)
        old = self._remembered
        return WeightedCrops(
            [*reviewed.values(), *old],
            with_remembered(weights, len(old), _REMEMBERED_SHARE),
            first_step,
            steps,
            self._config,
            self._base.scales,
        )

    def count(self, crops: WeightedCrops, steps: int) -> None:
        """Count what was learned from."""
        self._drawn += crops.count_drawn(steps)

    def renew(self, stem: str) -> None:
        """Take a sample for a new one."""
        self._drawn.pop(stem, None)

    @cached_property
    def _remembered(self) -> list[PreparedSample]:
        """What is kept in of what the base has learned; what begins from nothing has none."""
        return remembered_samples(self._base, _REMEMBERED if self._config.base else 0)
