"""What a reader of the figures must know about contenders and data, the worst first."""

from collections.abc import Sequence

from napari_veinseg.data.mask_source import origin_notes
from napari_veinseg.evaluation.bootstrap import FEWEST_FINGERS
from napari_veinseg.evaluation.comparison import Comparison
from napari_veinseg.evaluation.data_caveats import (
    of_copies,
    of_fingers,
    of_identical_images,
    of_left_out,
    of_mostly_vein,
    of_numbered_pieces,
    of_split,
    of_unsure_truths,
)
from napari_veinseg.evaluation.metrics import Counts
from napari_veinseg.wording import capitalised, counted, some_of

_MUCH_UNSURE = 0.001  # of what the truth knows


def caveats(comparison: Comparison) -> list[str]:
    """Say what makes the figures of a comparison weaker than they look."""
    judged = {stem for result in comparison.results for stem in result.judged_stems}
    return [
        *_of_no_figures(comparison),
        *of_mostly_vein(comparison),
        *of_numbered_pieces(comparison),
        *of_identical_images(comparison),
        *origin_notes(
            [sample.source for sample in comparison.samples if sample.stem in judged],
            [result.contender.name for result in comparison.results],
        ),
        *_of_known_fingers(comparison),
        *of_split(comparison),
        *_of_undecided(comparison),
        *_of_different_images(comparison),
        *_of_contenders_alike(comparison),
        *_of_few_images(comparison),
        *_of_truths_themselves(comparison),
        *_of_training(comparison),
        *of_unsure_truths(comparison),
        *_of_doubt(comparison),
        *_of_empty_masks(comparison),
        *of_copies(comparison),
        *of_fingers(comparison),
        *of_left_out(comparison),
    ]


def _of_no_figures(comparison: Comparison) -> list[str]:
    if comparison.judged_counts:
        return []
    return ["No image is new to a contender: there are no figures."]


def _of_known_fingers(comparison: Comparison) -> list[str]:
    """Tell who has learned other shots of the evaluated subjects."""
    every = len({sample.finger for sample in comparison.samples} - {""})
    known = zip(comparison.results, comparison.overlap.known_fingers, strict=True)
    return [
        f"Do not take the figures of {_quoted(result.contender.name)} for those of new subjects: "
        f"it was trained on other shots of {some_of(len(fingers), every, 'evaluated subject')}."
        for result, fingers in known
        if fingers
    ]


def _of_undecided(comparison: Comparison) -> list[str]:
    """Tell who leaves all to others: such masks are hardly ever meant."""
    return [
        f"{_quoted(result.contender.name)} decides {'nothing' if result.unsure == 1 else 'little'}"
        f": it leaves {result.unsure:.1%} of the pixels unsure, which count as background. Is the "
        "folder, or the meaning of value 2, right? It is in no ranking and no difference."
        for result in comparison.results
        if result.undecided
    ]


def _of_different_images(comparison: Comparison) -> list[str]:
    """Tell whether the figures of contenders can be compared at all."""
    if comparison.same_images or not comparison.judged_counts:
        return []
    return [
        "Do not compare the contenders: no image is new to all of them, so their figures are "
        "made of different images and cannot be compared."
    ]


def _of_few_images(comparison: Comparison) -> list[str]:
    judged = comparison.judged_counts
    if not judged or min(judged) >= FEWEST_FINGERS:
        return []
    count = min(judged)
    images = "they come from one image," if count == 1 else f"they are means of {count} images,"
    if len(comparison.results) == 1:
        return [f"Do not rely on these figures: {images} too few for intervals."]
    return [
        f"Do not rank by these figures: {images} too few for intervals, and a difference may be "
        "chance."
    ]


def _of_contenders_alike(comparison: Comparison) -> list[str]:
    """Tell which contenders are one under two names, or a training that changed nothing."""
    names: dict[tuple[Counts, ...], list[str]] = {}
    for result in comparison.results:
        key = tuple(image.counts for image in result.images)
        names.setdefault(key, []).append(result.contender.name)
    return [
        f"{_joined(alike)} score exactly alike on every image: is it one file "
        "under several names, or a training that changed nothing?"
        for counts, alike in names.items()
        if len(alike) > 1 and any(c.true_positive for c in counts)
    ]


def _of_truths_themselves(comparison: Comparison) -> list[str]:
    """Tell whose masks are the truths: a copy of them, or a model's that nobody corrected."""
    return [
        f"The masks of {_quoted(result.contender.name)} are the truths, pixel by pixel: are these "
        "a copy of them? The figures say nothing then."
        for result in comparison.results
        if all(image.counts.vein_iou == 1 for image in result.judged)
        and any(image.counts.true_positive for image in result.judged)
    ]


def _joined(names: Sequence[str]) -> str:
    *first, last = map(_quoted, names)
    return f"{', '.join(first)} and {last}"


def _quoted(name: str) -> str:
    """Mark where a name begins and ends: it may be several words."""
    return f"'{name}'"


def _of_doubt(comparison: Comparison) -> list[str]:
    return [
        f"{_quoted(result.contender.name)} leaves {result.unsure:.1%} of the pixels unsure that "
        "the truth decides: they count as background."
        for result in comparison.results
        if result.unsure > _MUCH_UNSURE and not result.undecided
    ]


def _of_empty_masks(comparison: Comparison) -> list[str]:
    """Tell who finds nothing: one correction may then stand for a whole tree of veins."""
    said = []
    for result in comparison.results:
        counts = [image.counts for image in result.images]
        empty = sum(not c.true_positive + c.false_positive and c.false_negative > 0 for c in counts)
        if empty and not result.undecided:
            said.append(
                f"{_quoted(result.contender.name)} marks no vein at all in "
                f"{some_of(empty, len(counts), 'image')}: there a place to correct is a whole tree "
                "of veins, and their number says little."
            )
    return said


def _of_training(comparison: Comparison) -> list[str]:
    total = len(comparison.samples)
    said = [
        _of_seen(_quoted(result.contender.name), result.seen, total)
        for result in comparison.results
        if result.seen
    ]
    judged = comparison.judged_counts
    if len(judged) > 1 and comparison.same_images and judged[0] < total:
        new = counted(judged[0], "image that is", "images that are")
        said.append(f"All contenders are compared on the {new} new to all of them.")
    return said


def _of_seen(name: str, seen: int, total: int) -> str:
    learnt = "it, or a model that it began from, was trained on"
    if seen == total:
        these = "this image" if total == 1 else f"all of these images ({total})"
        return f"{name} has no figures here: {learnt} {these}."
    are, them = ("is", "it") if seen == 1 else ("are", "them")
    images = capitalised(some_of(seen, total, "image"))
    return (
        f"{images} {are} left out of the figures of {name}, and marked in per_image.csv: {learnt} "
        f"{them}."
    )
