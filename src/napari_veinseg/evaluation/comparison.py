"""Contenders on the samples of a dataset: every image scored, nothing averaged yet."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from napari_veinseg.data.array_types import Px
from napari_veinseg.data.finger_groups import thumbnail_spectrum
from napari_veinseg.data.sample import Fault, Pair, Sample, read_pairs
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.evaluation.bootstrap import FEWEST_FINGERS
from napari_veinseg.evaluation.contenders import Contender, MaskFolder
from napari_veinseg.evaluation.data_leakage import Looks, Overlap, find_overlap
from napari_veinseg.evaluation.metrics import (
    TOLERANCE,
    Counts,
    counts,
    drawn_unsure_share,
    mask_metrics,
    unsure_share,
)
from napari_veinseg.evaluation.probability_metrics import ScoreHistogram, score_histogram
from napari_veinseg.evaluation.selection import Selection

_MOSTLY_UNSURE = 0.5

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ImageResult:
    """One contender on one image."""

    sample: Sample
    """The image and its truth."""
    seen: bool
    """Whether the model's card names this image among those that it was trained on."""
    metrics: dict[str, float]
    """See `metrics.mask_metrics`."""
    unsure: float
    """Share of what the truth knows that the contender leaves undecided; it counts as
    background."""
    truth_unsure: float
    """Share of what is drawn in the truth, vein or unsure, that is unsure."""
    truth_numbered: bool
    numbered: bool
    """Whether label 2 of the truth, and of the contender's mask, may be a second piece."""
    counts: Counts
    """For pooling."""
    histogram: ScoreHistogram | None
    """Of the scores; None where the contender gives none."""


@dataclass(frozen=True)
class ContenderResult:
    """One contender on all images."""

    contender: Contender
    images: list[ImageResult] = field(default_factory=list)
    """In the order of the samples."""
    judged: list[ImageResult] = field(default_factory=list)
    """Those that its figures are made of: new to it and, where there are such images, to all."""

    @property
    def judged_stems(self) -> set[str]:
        """The stems of the images that count."""
        return {image.sample.stem for image in self.judged}

    @property
    def histograms(self) -> list[ScoreHistogram]:
        """Of the images that count, where the contender gives scores."""
        return [image.histogram for image in self.judged if image.histogram]

    @property
    def seen(self) -> int:
        """How many images the contender was trained on."""
        return sum(image.seen for image in self.images)

    @property
    def unsure(self) -> float:
        """Mean share that the contender leaves undecided of what the truths know."""
        return sum(image.unsure for image in self.images) / len(self.images)

    @property
    def undecided(self) -> bool:
        """Whether it hardly decides anything: then its figures are no judgement of its own."""
        return self.unsure > _MOSTLY_UNSURE


@dataclass(frozen=True)
class Comparison:
    """All contenders on all images."""

    selection: Selection
    """What was evaluated."""
    results: list[ContenderResult]
    """One a contender."""
    same_images: bool
    """Whether the figures of all contenders are made of the same images."""
    left_out: list[Fault]
    """Samples that could not be used, and why."""
    overlap: Overlap
    """What the images have in common with those that were learned from."""
    data_hash: str
    """SHA-256 over stems, images and masks of what was evaluated."""
    tolerance: float
    """px of the centreline scores."""
    sizes: tuple[tuple[int, ...], ...]
    """The different shapes `(Y, X)` of the images."""
    distinct_truths: int
    """How many of the truths differ: fewer than images mean near duplicates."""

    @property
    def samples(self) -> list[Sample]:
        """The samples that could be used."""
        return [image.sample for image in self.results[0].images]

    @property
    def judged_counts(self) -> list[int]:
        """How many images the figures of each contender are made of, if it has any."""
        return [len(result.judged) for result in self.results if result.judged]

    @property
    def judged_range(self) -> str:
        """Say how many images figures are made of: `8`, or `4 to 8`; 0 where there are none."""
        return count_range(self.judged_counts)

    @property
    def rankable(self) -> bool:
        """Whether one of several contenders may be called the best."""
        judged = [result for result in self.results if result.judged and not result.undecided]
        enough = all(len(result.judged) >= FEWEST_FINGERS for result in judged)
        return self.same_images and len(judged) > 1 and enough

    @property
    def note(self) -> str:
        """What was taken, how much of it the figures are of where that is less, and who has none.

        A contender without figures stands in no table, so it is named here.
        """
        said = [self.selection.note]
        if self.judged_counts and {*self.judged_counts} != {len(self.selection.samples)}:
            said.append(f"The figures are of {self.judged_range} of them.")
        without = [result.contender.name for result in self.results if not result.judged]
        if without:
            said.append(f"No figures of {', '.join(without)}: trained on all that could be judged.")
        return " ".join(said)


def count_range(counts: Iterable[int]) -> str:
    """Say how many there are by several counts: `8`, or `4 to 8`; 0 without any above 0."""
    known = [count for count in counts if count] or [0]
    return " to ".join(str(count) for count in dict.fromkeys((min(known), max(known))))


def compare(
    selection: Selection,
    contenders: Sequence[Contender],
    tolerance: Px = TOLERANCE,
    progress: Progress | None = None,
) -> Comparison:
    """Score every contender on every sample; one that cannot be scored is left out and named.

    A predicted centreline may lie beside the true one by the tolerance.  Progress is told the
    number of images done, of all, and the next one's stem; it may raise.

    Raise VeinSegError if a folder of masks lacks one, or no sample can be used.
    """
    contenders = [  # before hours of work
        each.with_files_of(selection.samples) if isinstance(each, MaskFolder) else each
        for each in contenders
    ]
    results = [ContenderResult(contender) for contender in contenders]
    left_out, looks = list(selection.left_out), []
    digest = hashlib.sha256()
    sizes, truths = set(), set()
    for number, read in enumerate(read_pairs(selection.samples, needs_vein=False)):
        if progress:
            progress(number, len(selection.samples), selection.samples[number].stem)
        if isinstance(read, Fault):
            left_out.append(read)
            continue
        scored = _score_all(contenders, read, tolerance)
        if isinstance(scored, Fault):
            left_out.append(scored)
            continue
        digest.update(f"{read.sample.stem}\0{read.image_hash}\0{read.mask_hash}\n".encode())
        sizes.add(read.mask.shape)
        truths.add(read.mask_hash)
        looks.append(Looks(read.sample, read.image_hash, thumbnail_spectrum(read.image)))
        for result, image in zip(results, scored, strict=True):
            result.images.append(image)
    told = [selection.told(fault) for fault in left_out]
    if not looks:
        first = left_out[len(selection.left_out)]
        raise VeinSegError(f"No sample can be evaluated; the first, {first.stem}: {first.message}")
    return Comparison(
        selection,
        results,
        _choose_judged(results),
        told,
        find_overlap(looks, selection.training, [each.card for each in contenders]),
        digest.hexdigest(),
        tolerance,
        tuple(sorted(sizes)),
        len(truths),
    )


def _choose_judged(results: Sequence[ContenderResult]) -> bool:
    """Choose what figures are made of; tell whether it is the same images for all contenders."""
    able = [result for result in results if result.seen < len(result.images)]
    number = len(results[0].images)
    common = [k for k in range(number) if not any(result.images[k].seen for result in able)]
    for result in able:
        result.judged.extend(
            [result.images[k] for k in common]
            or [image for image in result.images if not image.seen]
        )
    return bool(common)


def _score_all(
    contenders: Sequence[Contender], pair: Pair, tolerance: float
) -> list[ImageResult] | Fault:
    """Score a sample by all contenders, or by none: figures are made of the same images."""
    try:
        return [_score(contender, pair, tolerance) for contender in contenders]
    except Cancelled:
        raise
    except VeinSegError as error:
        return Fault(pair.sample.stem, str(error))


def _score(contender: Contender, pair: Pair, tolerance: float) -> ImageResult:
    card, truth = contender.card, pair.mask
    prediction = contender.predict(pair.sample, pair.image)
    return ImageResult(
        pair.sample,
        card is not None and pair.image_hash in card.training_data.image_hashes,
        mask_metrics(prediction.mask, truth, tolerance),
        unsure_share(prediction.mask, truth),
        drawn_unsure_share(truth),
        pair.numbered,
        prediction.numbered,
        counts(prediction.mask, truth),
        None if prediction.score is None else score_histogram(prediction.score, truth),
    )
