"""Contenders on the samples of a dataset: every image scored, nothing averaged yet."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.images import image_hash
from napari_veinseg.data.labels import UNSURE
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.contenders import Contender
from napari_veinseg.evaluation.metrics import TOLERANCE, Counts, counts, mask_metrics
from napari_veinseg.evaluation.scores import ScoreHistogram, score_histogram

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Selection:
    """The samples that are evaluated.

    Parameters
    ----------
    samples : tuple of Sample
        At least one.
    is_hold_out : bool
        Whether they are the hold-out of the dataset's split.
    note : str
        What they are, in a sentence for the report.
    """

    samples: tuple[Sample, ...]
    is_hold_out: bool
    note: str


@dataclass(frozen=True)
class ImageResult:
    """One contender on one image.

    Parameters
    ----------
    sample : Sample
        The image and its truth.
    seen : bool
        Whether the model's card names this image among those that it was trained on.
    metrics : dict of str to float
        See `metrics.mask_metrics`.
    counts : Counts
        For pooling.
    histogram : ScoreHistogram or None
        Of the scores; None where the contender gives none.
    """

    sample: Sample
    seen: bool
    metrics: dict[str, float]
    counts: Counts
    histogram: ScoreHistogram | None


@dataclass(frozen=True)
class ContenderResult:
    """One contender on all images.

    Parameters
    ----------
    contender : Contender
        Who.
    images : list of ImageResult
        In the order of the samples.
    """

    contender: Contender
    images: list[ImageResult] = field(default_factory=list)

    @property
    def unseen(self) -> list[ImageResult]:
        """The images that it was not trained on: only they count in a summary."""
        return [image for image in self.images if not image.seen]


@dataclass(frozen=True)
class Comparison:
    """All contenders on all images.

    Parameters
    ----------
    selection : Selection
        What was evaluated.
    results : list of ContenderResult
        One a contender.
    unusable : dict of str to str
        Samples that were left out, by stem, and why.
    data_hash : str
        SHA-256 over stems, images and masks of what was evaluated.
    tolerance : float
        px of the centreline scores.
    sizes : tuple of tuple of int
        The different shapes `(Y, X)` of the images.
    distinct_truths : int
        How many of the truths differ: fewer than images mean near duplicates.
    """

    selection: Selection
    results: list[ContenderResult]
    unusable: dict[str, str]
    data_hash: str
    tolerance: float
    sizes: tuple[tuple[int, ...], ...]
    distinct_truths: int

    @property
    def samples(self) -> list[Sample]:
        """The samples that could be used."""
        return [image.sample for image in self.results[0].images]


def select(dataset: Dataset, everything: bool = False) -> Selection:
    """Choose the hold-out, or every sample.

    Parameters
    ----------
    dataset : Dataset
        The dataset; it is only read.
    everything : bool
        Whether to take every sample although there is a hold-out.

    Returns
    -------
    Selection
        The samples and what they are.

    Raises
    ------
    VeinSegError
        If there is no sample.
    """
    if not len(dataset):
        raise VeinSegError(
            f"{dataset.path} holds no pair of an image and a mask with the same name: add some."
        )
    hold_out = dataset.validation
    if everything or not hold_out:
        why = "as asked for" if everything else "because the dataset has no hold-out"
        return Selection(dataset.samples, False, f"Every sample was evaluated, {why}.")
    return Selection(
        hold_out, True, f"The hold-out was evaluated: {len(hold_out)} of {len(dataset)} samples."
    )


def compare(
    selection: Selection,
    contenders: Sequence[Contender],
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
) -> Comparison:
    """Score every contender on every sample.

    Parameters
    ----------
    selection : Selection
        The samples.
    contenders : sequence of Contender
        Who is compared.
    tolerance : float
        px by which a predicted centreline may lie beside the true one.
    progress : callable, optional
        Called with the number of images done, of all, and the next one's stem; it may raise.

    Returns
    -------
    Comparison
        All scores.  A sample that cannot be read is left out and named.

    Raises
    ------
    VeinSegError
        If a contender cannot predict a sample, or no sample can be used.
    """
    results = [ContenderResult(contender) for contender in contenders]
    unusable: dict[str, str] = {}
    digest = hashlib.sha256()
    sizes, truths = set(), set()
    for number, sample in enumerate(selection.samples):
        if progress:
            progress(number, len(selection.samples), sample.stem)
        try:
            image, truth = read_pair(sample)
        except VeinSegError as error:
            unusable[sample.stem] = str(error)
            continue
        if (truth == UNSURE).all():  # every figure would be perfect
            unusable[sample.stem] = f"{sample.mask_path} says unsure everywhere: correct it."
            continue
        own_hash, truth_hash = image_hash(image), image_hash(truth)
        digest.update(f"{sample.stem}\0{own_hash}\0{truth_hash}\n".encode())
        sizes.add(truth.shape)
        truths.add(truth_hash)
        for result in results:
            card = result.contender.card
            seen = card is not None and own_hash in card.training_data.image_hashes
            result.images.append(_score(result.contender, sample, seen, image, truth, tolerance))
    if len(unusable) == len(selection.samples):
        raise VeinSegError(
            f"No sample can be evaluated; the first: {next(iter(unusable.values()))}"
        )
    return Comparison(
        selection,
        results,
        unusable,
        digest.hexdigest(),
        tolerance,
        tuple(sorted(sizes)),
        len(truths),
    )


def read_pair(sample: Sample) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Read the image and the truth of a sample.

    Parameters
    ----------
    sample : Sample
        What to read.

    Returns
    -------
    image, truth : NDArray
        `(Y, X)` or `(Y, X, colours)`, and `(Y, X)`.

    Raises
    ------
    VeinSegError
        If either cannot be read, is a stack, or their sizes differ.
    """
    image, truth = sample.image(), sample.mask()
    if truth.ndim != 2 or image.ndim - is_colour(image.shape) != 2:
        raise VeinSegError(f"{sample.stem} is a stack: store its slices one by one.")
    if image.shape[:2] != truth.shape:
        raise VeinSegError(
            f"{sample.stem}: the image is {image.shape[:2]} and the mask {truth.shape}; redraw or "
            "crop one."
        )
    return image, truth


def _score(
    contender: Contender,
    sample: Sample,
    seen: bool,
    image: NDArray[Any],
    truth: NDArray[np.uint8],
    tolerance: float,
) -> ImageResult:
    try:
        prediction = contender.predict(sample, image)
        return ImageResult(
            sample,
            seen,
            mask_metrics(prediction.mask, truth, tolerance),
            counts(prediction.mask, truth),
            None if prediction.score is None else score_histogram(prediction.score, truth),
        )
    except VeinSegError as error:
        raise VeinSegError(f"{sample.stem}: {error}") from error
