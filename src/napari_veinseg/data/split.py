"""Train and validation: drawn once, by finger; moved only where a finger crosses the split."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from napari_veinseg.data.array_types import Share
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError

MOST_JUDGED = 32
"""Held-out images that a training is judged on."""


def draw_split(samples: Iterable[Sample], validation_share: Share, seed: int) -> dict[str, str]:
    """Put samples into 'train' or 'validation'; those that stand somewhere stay there.

    Fingers stay whole: those that became known after they were split are drawn anew.  With fewer
    than two known ones, and for samples of an unknown one, it goes by image.
    """
    if not 0 <= validation_share <= 0.5:
        raise VeinSegError(f"The validation share {validation_share} is not in [0, 0.5].")
    samples = list(samples)
    by_finger = len({sample.finger for sample in samples} - {""}) > 1
    # A line break cannot stand in a stem: no finger is mistaken for an image.
    groups = {
        sample.stem: (by_finger and sample.finger) or f"\n{sample.stem}" for sample in samples
    }
    crossing = crossing_fingers(samples)
    assigned = {s.stem: s.split for s in samples if s.split and s.finger not in crossing}
    return complete_split(groups, assigned, validation_share, seed)


def crossing_fingers(samples: Iterable[Sample]) -> Sequence[str]:
    """List the fingers that stand on both sides, for they were split before they were known."""
    known = [sample for sample in samples if sample.finger]
    fingers = {sample.stem: sample.finger for sample in known}
    if len(set(fingers.values())) < 2:
        return []
    return leaking_groups(fingers, {sample.stem: sample.split for sample in known})


def choose_judged(stems: Sequence[str], seed: int = 0) -> set[str]:
    """Choose at most `MOST_JUDGED` to validate on, for it takes time from learning."""
    order = np.random.default_rng(seed).permutation(len(stems))
    return {stems[i] for i in order[:MOST_JUDGED]}


def may_leak(samples: Iterable[Sample]) -> bool:
    """Tell whether near duplicates may stand on both sides of a split.

    So it is when a finger is unknown or there are fewer than two (the split goes by image then),
    and when a finger was split before it became known as one.
    """
    samples = list(samples)
    fingers = {sample.finger for sample in samples}
    return "" in fingers or len(fingers) < 2 or bool(crossing_fingers(samples))


def complete_split(
    groups: Mapping[str, str],
    assigned: Mapping[str, str],
    validation_share: Share,
    seed: int,
) -> dict[str, str]:
    """Give the samples that have no split yet to train or validation, whole groups at a time.

    A group is a finger, or the image itself.  What is assigned stays.  A new sample of a group
    that is assigned already follows it (into train when the group stands on both sides).  Of the
    new groups, in an order drawn by the seed, each is held out that brings the validation share
    nearer to the one asked for; the smallest, when none does.  With a share of at most a half
    something always remains to train on.
    """
    sizes = Counter(groups.values())
    sides: dict[str, set[str]] = defaultdict(set)
    for sample, side in assigned.items():
        sides[groups[sample]].add(side)
    new = sorted(set(sizes) - set(sides))
    wanted = validation_share * len(groups)
    held = {group for group in sizes if sides.get(group) == {"validation"}}
    held_out = sum(sizes[group] for group in held)
    for group in np.random.default_rng(seed).permutation(new).tolist():
        if abs(held_out + sizes[group] - wanted) < abs(held_out - wanted):
            held.add(group)
            held_out += sizes[group]
    if wanted > 0 and held_out == 0 and new and len(sizes) > 1:
        held.add(min(new, key=lambda group: sizes[group]))
    return {
        sample: assigned.get(sample, "validation" if group in held else "train")
        for sample, group in groups.items()
    }


def leaking_groups(groups: Mapping[str, str], split: Mapping[str, str]) -> Sequence[str]:
    """List the groups that stand on both sides of a split."""
    sides: dict[str, set[str]] = defaultdict(set)
    for sample, group in groups.items():
        sides[group].add(split.get(sample, ""))
    return sorted(group for group, side in sides.items() if {"train", "validation"} <= side)
