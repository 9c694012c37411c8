"""What evaluated images have in common with each other and with those that were learned from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from napari_veinseg.data.finger_groups import Spectrum, first_alike, thumbnail_spectrum
from napari_veinseg.data.image_files import image_hash
from napari_veinseg.data.sample import Sample
from napari_veinseg.model.card import ModelCard

_MOST_COMPARED = 300_000  # pairs of thumbnails: ten seconds


class Looks(NamedTuple):
    """An image reduced to what tells it from others."""

    sample: Sample
    """Where it comes from."""
    image_hash: str
    """Of its content."""
    thumbnail: Spectrum


@dataclass(frozen=True)
class Overlap:
    """What is on both sides of the split, and more than once on the evaluated side."""

    split_fingers: tuple[str, ...] = ()
    """Fingers that the split has put on both sides."""
    same_pixels: tuple[tuple[str, str], ...] = ()
    """Evaluated and training stems of images with equal pixels."""
    near: tuple[tuple[str, str], ...] = ()
    """Evaluated and training stems of images that look alike."""
    uncompared: int = 0
    """Pairs of these that were too many to be looked at: then `near` is empty."""
    copies: tuple[tuple[str, str], ...] = ()
    """Evaluated stems of images with equal pixels."""
    contradictions: tuple[tuple[str, str], ...] = ()
    """Stems of images with equal pixels, on either side, whose masks differ."""
    known_fingers: tuple[tuple[str, ...], ...] = ()
    """For each contender the fingers of which it has learned other shots, by the hashes on its
    card."""
    learned: tuple[int, ...] = ()
    """For each contender how many images of the training part its card names."""


def find_overlap(
    evaluated: Sequence[Looks], training: Iterable[Sample], cards: Sequence[ModelCard | None]
) -> Overlap:
    """Look for what makes evaluated images less new, or fewer, than they seem.

    What of `training` cannot be read is passed over.
    """
    others = [looks for sample in training if (looks := _look_at(sample))]
    by_hash = {looks.image_hash: looks.sample for looks in others}
    same = [(e.sample, by_hash[e.image_hash]) for e in evaluated if e.image_hash in by_hash]
    copies = _copies(evaluated)
    fingers = {each.sample.finger for each in evaluated} - {""}
    pairs = len(evaluated) * len(others)
    too_many = pairs > _MOST_COMPARED
    return Overlap(
        tuple(sorted(fingers & {each.sample.finger for each in others})),
        _stems(same),
        () if too_many else tuple(_near(evaluated, others, {one.stem for one, _ in same})),
        pairs if too_many else 0,
        _stems(copies),
        _stems(pair for pair in (*same, *copies) if _contradict(*pair)),
        tuple(_known_fingers(card, evaluated, others) for card in cards),
        tuple(len(_hashes(card) & {each.image_hash for each in others}) for card in cards),
    )


def _look_at(sample: Sample) -> Looks | None:
    try:
        image = sample.image()
        return Looks(sample, image_hash(image), thumbnail_spectrum(image))
    except ValueError:  # a stack, or a file that nothing was learned from either
        return None


def _near(
    evaluated: Sequence[Looks], others: Sequence[Looks], same: Collection[str]
) -> list[tuple[str, str]]:
    return [
        (one.sample.stem, twin.sample.stem)
        for one in evaluated
        if one.sample.stem not in same and (twin := first_alike(one.thumbnail, others))
    ]


def _stems(pairs: Iterable[tuple[Sample, Sample]]) -> tuple[tuple[str, str], ...]:
    return tuple((one.stem, other.stem) for one, other in pairs)


def _contradict(one: Sample, other: Sample) -> bool:
    """Whether the masks of one image differ: then one of them may be of another image."""
    try:
        return not np.array_equal(one.mask(), other.mask())
    except ValueError:  # a training image without a sound mask
        return False


def _copies(evaluated: Sequence[Looks]) -> list[tuple[Sample, Sample]]:
    samples = defaultdict(list)
    for each in evaluated:
        samples[each.image_hash].append(each.sample)
    return [(first, other) for first, *rest in samples.values() for other in rest]


def _hashes(card: ModelCard | None) -> frozenset[str]:
    return frozenset(card.training_data.image_hashes if card else ())


def _known_fingers(
    card: ModelCard | None, evaluated: Sequence[Looks], others: Sequence[Looks]
) -> tuple[str, ...]:
    learned = _hashes(card)
    known = {each.sample.finger for each in (*evaluated, *others) if each.image_hash in learned}
    new = {each.sample.finger for each in evaluated if each.image_hash not in learned}
    return tuple(sorted((known & new) - {""}))
