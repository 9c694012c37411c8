"""Figures of any segmenter on real veins: fingers from shot to shot, forearms with drawn masks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.evaluation.bootstrap import Estimate, grouping
from napari_veinseg.evaluation.consistency.equal_error_rate import d_prime, equal_error_rate
from napari_veinseg.evaluation.consistency.miura_matching import Matcher
from napari_veinseg.evaluation.consistency.pairs import MaskPairs, choose_pairs
from napari_veinseg.evaluation.consistency.shot_consistency import measure_consistency
from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.measurement.skeleton import centreline

Score = NDArray[np.float32]
Scorer = Callable[[NDArray[Any]], Score]
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
TOLERANCE = 3.0
"""Px by which a centreline may lie beside the one that people drew."""

_FINGER = r"^(.+)_\d+$"
_LINE_WIDTH = 0.03  # of lines of steady width, over the shorter side
_IMPOSTORS = 1500  # pairs
_MOST_FINGERS = 80
_ANOTHER_FRAME = 1.1  # times as high or wide as the median of a finger's crops


@dataclass(frozen=True)
class Fingers:
    """Shots of fingers, and which pairs of them are matched."""

    name: str
    images: dict[str, NDArray[Any]]
    plan: MaskPairs

    @property
    def size(self) -> str:
        """How many fingers and shots, in words."""
        return f"{len(np.unique(self.plan.groups.group))} fingers, {len(self.images)} images"

    def scored(self, scorer: Scorer) -> list[Score]:
        """Score all images, cut or padded around their middle to one shape, at half resolution."""
        shape = tuple(
            int(np.median([image.shape[axis] for image in self.images.values()])) for axis in (0, 1)
        )
        return [_halved(_centred(scorer(self.images[stem]), shape)) for stem in self.plan.stems]

    def quick(self, masks: Sequence[NDArray[np.bool_]]) -> tuple[float, float]:
        """Match masks: equal error rate and d', without intervals."""
        matcher = Matcher([mask.astype(np.uint8) for mask in masks])
        pairs = matcher.scores(self.plan.genuine), matcher.scores(self.plan.impostor)
        return equal_error_rate(*pairs), d_prime(*pairs)

    def judged(self, masks: Sequence[NDArray[np.bool_]]) -> tuple[Estimate, Estimate]:
        """Match masks: equal error rate and d' with their intervals."""
        named = dict(zip(self.plan.stems, masks, strict=True))
        found = measure_consistency(
            {stem: mask.astype(np.uint8) for stem, mask in named.items()}, self.plan
        )
        return found.equal_error_rate, found.d_prime


@dataclass(frozen=True)
class Forearms:
    """Photographs of forearms, the masks that people drew, and the groups of subjects."""

    images: dict[str, NDArray[Any]]
    masks: dict[str, NDArray[np.uint8]]

    @cached_property
    def groups(self) -> list[str]:
        """The letter that a group's names begin with, one for each image."""
        return [stem[0] for stem in self.images]

    def judged(self, scores: dict[str, Score], threshold: float) -> dict[str, Estimate]:
        """Means of images with intervals over the groups of subjects."""
        rows = [
            mask_metrics((score >= threshold).astype(np.uint8), self.masks[stem], TOLERANCE)
            for stem, score in scores.items()
        ]
        groups = grouping([stem[0] for stem in scores])
        names = ("dice", "centreline_recall", "centreline_precision")
        return {name: groups.mean([row[name] for row in rows]) for name in names}

    def best_threshold(self, scores: dict[str, Score]) -> float:
        """Return the threshold of the highest mean Dice."""

        def dice(threshold: float) -> float:
            overlaps = []
            for stem, score in scores.items():
                found, true = score >= threshold, self.masks[stem] == 1
                overlaps.append(2 * (found & true).sum() / max((found.sum() + true.sum()), 1))
            return float(np.mean(overlaps))

        return max(THRESHOLDS, key=dice)


def finger_sets(nupt: Path, crops: Path | None = None) -> list[Fingers]:
    """Read the sets of fingers: each session, both across, and crops whose names end in a shot.

    Crops that were cut to other sizes show other parts of a finger, and no masks of these agree
    however good they are: those framed alike are matched once more without the rest.
    """
    sessions = [_shots(nupt / f"session{number}") for number in (1, 2)]
    sets = [
        Fingers(f"session {number}", images, choose_pairs(list(images), _FINGER, _IMPOSTORS))
        for number, images in enumerate(sessions, 1)
    ]
    sets.append(_across(*sessions))
    if crops:
        images = _thinned(_shots(crops))
        for name, chosen in (("crops", images), ("crops, framed alike", _framed_alike(images))):
            sets.append(Fingers(name, chosen, choose_pairs(list(chosen), _FINGER, _IMPOSTORS)))
    return sets


def forearms(folder: Path) -> Forearms:
    """Read the forearms and their masks."""
    paths = sorted(list_images(folder / "images"))
    return Forearms(
        {path.stem: read_image(path) for path in paths},
        {path.stem: read_mask(folder / "masks" / path.name) for path in paths},
    )


def lines(scores: Sequence[Score], threshold: float) -> list[NDArray[np.bool_]]:
    """Draw lines of steady width along the centrelines."""
    drawn = []
    for score in scores:
        line = centreline((score >= threshold).astype(np.uint8))
        reach = max(1.0, _LINE_WIDTH * min(score.shape) / 2)
        away = ndimage.distance_transform_edt(~line) if line.any() else np.full(line.shape, np.inf)
        drawn.append(away <= reach)
    return drawn


def _shots(folder: Path) -> dict[str, NDArray[Any]]:
    return {path.stem: read_image(path) for path in sorted(list_images(folder))}


def _thinned(images: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Keep every so many fingers of a large set: more would only take longer."""
    fingers = sorted({stem.rpartition("_")[0] for stem in images})
    kept = set(fingers[:: -(-len(fingers) // _MOST_FINGERS)])
    return {stem: image for stem, image in images.items() if stem.rpartition("_")[0] in kept}


def _framed_alike(images: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Leave out what is much higher, wider, lower or narrower than most shots of its finger."""
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for stem, image in images.items():
        shapes.setdefault(stem.rpartition("_")[0], []).append(image.shape[:2])
    usual = {finger: np.median(sizes, axis=0) for finger, sizes in shapes.items()}
    return {
        stem: image
        for stem, image in images.items()
        if np.abs(np.log(np.array(image.shape[:2]) / usual[stem.rpartition("_")[0]])).max()
        < np.log(_ANOTHER_FRAME)
    }


def _across(first: dict[str, NDArray[Any]], second: dict[str, NDArray[Any]]) -> Fingers:
    """Match the shots of one session with those of the other."""
    images = {f"{stem} in 1": image for stem, image in first.items()}
    images |= {f"{stem} in 2": image for stem, image in second.items()}
    stems = list(images)
    fingers = np.array([stem.split("_")[0] for stem in stems])
    pairs = np.array([(i, j) for i in range(len(first)) for j in range(len(first), len(stems))])
    same = fingers[pairs[:, 0]] == fingers[pairs[:, 1]]
    impostors = pairs[~same]
    chosen = np.random.default_rng(0).permutation(len(impostors))[:_IMPOSTORS]
    groups = grouping(fingers.tolist())
    return Fingers(
        "across", images, MaskPairs(tuple(stems), groups, pairs[same], impostors[np.sort(chosen)])
    )


def _centred(score: Score, shape: tuple[int, ...]) -> Score:
    """Cut or pad a map around its middle."""
    kept = tuple(
        slice(max(0, (have - want) // 2), max(0, (have - want) // 2) + min(have, want))
        for have, want in zip(score.shape, shape, strict=True)
    )
    part = score[kept]
    missing = [want - have for have, want in zip(part.shape, shape, strict=True)]
    return np.pad(part, [(gap // 2, gap - gap // 2) for gap in missing])


def _halved(score: Score) -> Score:
    height, width = (side // 2 * 2 for side in score.shape)
    blocks = score[:height, :width].reshape(height // 2, 2, width // 2, 2)
    means: Score = blocks.mean(axis=(1, 3))
    return means
