"""Which masks are matched: shots of one finger, and shots of two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.finger_groups import compile_finger_pattern, finger_in
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.bootstrap import Grouping, grouping
from napari_veinseg.wording import counted

MOST_IMPOSTORS = 2000
_DRAWS = 1000

Pairs = Annotated[NDArray[np.intp], "`(n, 2)`, the numbers of two masks"]
Weights = Annotated[NDArray[np.float64], "`(replicates, n)`"]


@dataclass(frozen=True)
class MaskPairs:
    """The pairs of masks that are matched; the same for all folders that are compared."""

    stems: tuple[str, ...]
    """The masks' names."""
    groups: Grouping
    """What is resampled."""
    genuine: Pairs
    """`(n, 2)` numbers of masks: pairs of one finger."""
    impostor: Pairs
    """Likewise: pairs of two fingers."""

    def __str__(self) -> str:
        groups, unit = self.groups.count, "subject" if self.groups.by_finger else "image"
        return (
            f"{len(self.genuine):,} genuine and {counted(len(self.impostor), 'impostor pair')} of "
            f"{counted(len(self.stems), 'image')}. Intervals are of 95 %, the percentiles of "
            f"{_DRAWS:,} bootstrap draws of {counted(groups, unit)}; there is none where all draws "
            "are alike."
        )

    def weights(self) -> tuple[Weights, Weights]:
        """Tell how often each genuine and each impostor pair stands in each bootstrap draw.

        A pair within a resampled finger counts as often as the finger, any other as often as both
        its groups together.
        """
        drawn = self.groups.draws(_DRAWS)
        first, second = (self.groups.group[self.genuine[:, side]] for side in (0, 1))
        within = drawn[:, first] * np.where(first == second, 1, drawn[:, second])
        one, other = (drawn[:, self.groups.group[self.impostor[:, side]]] for side in (0, 1))
        return within, one * other


def choose_pairs(
    stems: Sequence[str], finger_pattern: str, most_impostors: int = MOST_IMPOSTORS, seed: int = 0
) -> MaskPairs:
    r"""Choose all pairs of one finger, and at most so many of two, drawn by the seed.

    The first group of the pattern is the finger in a name, as in ``^(.+)_\d+$``.

    Raise VeinSegError if a name does not fit the pattern, or there are not two fingers, one with
    two shots.
    """
    fingers = _fingers(stems, finger_pattern)
    number = np.unique(fingers, return_inverse=True)[1]
    pairs = np.transpose(np.triu_indices(len(stems), k=1)).astype(np.intp)
    same = number[pairs[:, 0]] == number[pairs[:, 1]]
    genuine, impostor = pairs[same], pairs[~same]
    if not len(genuine) or not len(impostor):
        raise VeinSegError(
            f"The finger pattern '{finger_pattern}' finds {counted(number.max() + 1, 'subject')} "
            f"in {counted(len(stems), 'mask')}: two are needed, and two shots of one; check the "
            "pattern."
        )
    chosen = np.random.default_rng(seed).permutation(len(impostor))[:most_impostors]
    return MaskPairs(tuple(stems), grouping(fingers), genuine, impostor[np.sort(chosen)])


def _fingers(stems: Sequence[str], pattern: str) -> list[str]:
    compiled = compile_finger_pattern(pattern)
    fingers = [finger_in(stem, compiled) for stem in stems]
    if "" in fingers:
        raise VeinSegError(
            f"The finger pattern '{pattern}' finds no subject in {stems[fingers.index('')]!r}: "
            "mend the pattern."
        )
    return fingers
