"""Synthetic images that are kept in while something new is learned, against forgetting."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from napari_veinseg.data.sample import Pair, Sample
from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_finger
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import ModelCard
from napari_veinseg.training.prepared_samples import PreparedSample, prepare_sample

_FIRST_SEED = 3_000_000  # neither the starter's nor those that it is judged on
# As wide as what the starter learned from.
_SETTINGS = replace(SynthesisSettings(), contrast=(0.07, 1.4), noise=(0.25, 14.0))


def remembered_samples(card: ModelCard, count: int) -> list[PreparedSample]:
    """Make at most so many images like those that the starter learned from, in 40 ms each.

    They have the normalisation and the working width of the card.

    References
    ----------
    A. Robins, "Catastrophic forgetting, rehearsal and pseudorehearsal", Connection Science (1995).
    """
    samples = []
    for number in range(count):
        finger = synthetic_finger(_FIRST_SEED + number, settings=_SETTINGS)
        # A line break stands in no name of a file: it is mistaken for nobody's image.
        sample = Sample(f"\nsynthetic {number}", Path(), Path())
        with suppress(VeinSegError):
            samples.append(prepare_sample(Pair(sample, finger.image, finger.mask), card))
    return samples
