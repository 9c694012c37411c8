"""What makes images less new, fewer or less known than they seem."""

import re
from collections.abc import Callable, Collection, Sequence

import numpy as np

from napari_veinseg.data.sample import MOST_VEIN
from napari_veinseg.evaluation.bootstrap import FEWEST_FINGERS, grouping
from napari_veinseg.evaluation.comparison import Comparison, ImageResult
from napari_veinseg.wording import capitalised, counted, listed, some_of

Pairs = Sequence[tuple[str, str]]

_NAMED = 3  # pairs of images, or images
_MUCH_OF_THE_TRUTH = 0.3
_ROLES = "evaluated and training: "


def of_identical_images(comparison: Comparison) -> list[str]:
    """Tell which image or mask must be another one's: equal pixels with different masks."""
    overlap, said = comparison.overlap, []
    for pairs, roles, twin, told in (
        (overlap.same_pixels, _ROLES, "a training image", 1),
        (overlap.copies, "", "another one", 2),
    ):
        wrong = [pair for pair in pairs if pair in overlap.contradictions]
        if wrong:
            concerned = {stem for pair in wrong for stem in pair[:told]}
            said.append(
                f"Check images and masks: {_share(comparison, wrong, 'has', 'have')} the very "
                f"pixels of {twin}, but a different mask{_examples(comparison, wrong, roles)}. Of "
                f"each pair an image or a mask is wrong.{_without(comparison, concerned)}"
            )
    return said


def of_split(comparison: Comparison) -> list[str]:
    """Tell what the evaluated images share with the training part."""
    overlap, said = comparison.overlap, []
    learners = [
        f"'{result.contender.name}'"
        for result, learned in zip(comparison.results, overlap.learned, strict=True)
        if learned
    ]
    every = len({sample.finger for sample in comparison.samples} - {""})
    shared = len(overlap.split_fingers)
    if shared:
        said.append(
            f"The split went by image: {some_of(shared, every, 'held-out subject')} "
            f"{'is' if shared == 1 else 'are'} in the training part, too{_knows(learners)}."
        )
    same = [pair for pair in overlap.same_pixels if pair not in overlap.contradictions]
    for pairs, one, several in (
        (same, "has the very pixels of", "have the very pixels of"),
        (overlap.near, "looks like", "look like"),
    ):
        if pairs:
            said.append(
                f"Do not take all images for new: {_share(comparison, pairs, one, several)} a "
                f"training image{_examples(comparison, pairs, _ROLES)}{_knows(learners)}."
            )
    if overlap.uncompared:
        said.append(
            f"Whether images look like a training image was not looked at: {overlap.uncompared:,} "
            "pairs are too many. Give shots of one subject the same 'finger' in samples.csv, and "
            "none can be missed."
        )
    return said


def of_copies(comparison: Comparison) -> list[str]:
    """Tell which images count more than once."""
    copies, total = comparison.overlap.copies, len(comparison.samples)
    if not copies:
        return []
    are_copies = capitalised(_share(comparison, copies, "is a copy", "are copies"))
    differ = counted(total - len(copies), "image differs", "images differ")
    return [
        f"{are_copies} of another one, pixel by pixel{_examples(comparison, copies)}: {differ}, "
        "and intervals are too narrow."
    ]


def of_mostly_vein(comparison: Comparison) -> list[str]:
    """Tell which truths, and which drawn masks that are scored, are inverted by the look of it."""
    return _of_drawn(
        comparison,
        lambda image: image.counts.true_share > MOST_VEIN,
        lambda image: image.counts.predicted_share > MOST_VEIN,
        "more than half is vein, as in inverted masks. Veins are 1 (or white) and background 0 (or "
        "black).",
    )


def of_numbered_pieces(comparison: Comparison) -> list[str]:
    """Tell in which drawn masks 2 may be the number of a second piece."""
    return _of_drawn(
        comparison,
        lambda image: image.truth_numbered,
        lambda image: image.numbered,
        "one piece is 1 and one is 2, as programs write it that number the pieces. 2 is read as "
        "unsure, which counts for nothing; where it is a vein, make it 1.",
    )


def _of_drawn(
    comparison: Comparison,
    of_truth: Callable[[ImageResult], bool],
    of_mask: Callable[[ImageResult], bool],
    why: str,
) -> list[str]:
    """Name the truths, and the drawn masks that are scored, of which something is true."""
    drawn = {("truth", ""): [of_truth(image) for image in comparison.results[0].images]}
    for result in comparison.results:
        if result.contender.kind == "masks":
            whose = f" of '{result.contender.name}'"
            drawn["mask", whose] = [of_mask(image) for image in result.images]
    said = []
    for (what, whose), each in drawn.items():
        stems = [s.stem for s, true in zip(comparison.samples, each, strict=True) if true]
        names = "" if comparison.selection.anonymous else f" ({listed(stems)})"
        if stems:
            said.append(f"Check {some_of(len(stems), len(each), what)}{whose}{names}: {why}")
    return said


def of_unsure_truths(comparison: Comparison) -> list[str]:
    """Tell how much of what was drawn the figures say nothing about."""
    images = sorted(comparison.results[0].images, key=lambda image: -image.truth_unsure)
    much = [image for image in images if image.truth_unsure >= _MUCH_OF_THE_TRUTH]
    if not much:
        return []
    half = sum(image.truth_unsure > 0.5 for image in much)
    more = f", and more than half in {half}" if half else ""
    named = [f"{image.sample.stem} {image.truth_unsure:.0%}" for image in much]
    names = "" if comparison.selection.anonymous else f" ({listed(named)})"
    return [
        f"Of what is drawn, {_MUCH_OF_THE_TRUTH:.0%} or more is unsure in "
        f"{some_of(len(much), len(images), 'truth')}{more}{names}: the figures are of the rest."
    ]


def _knows(learners: Sequence[str]) -> str:
    """Tell who gains by it; what nobody has learned from harms later models only."""
    if learners:
        return f"; {' and '.join(learners)} learned from that part"
    return ". No contender is known to have learned from that part"


def _share(comparison: Comparison, pairs: Pairs, one: str, several: str) -> str:
    verb = one if len(pairs) == 1 else several
    return f"{some_of(len(pairs), len(comparison.samples), 'image')} {verb}"


def _examples(comparison: Comparison, pairs: Pairs, roles: str = "") -> str:
    """Name the pairs, or the first of many."""
    if comparison.selection.anonymous:
        return ""
    named = [f"{one} and {other}" for one, other in pairs[:_NAMED]]
    more = len(pairs) - len(named)
    return f" ({roles}{'; '.join([*named, *([f'{more} more'] if more else [])])})"


def _without(comparison: Comparison, stems: Collection[str]) -> str:
    """Tell what the figures are without some images."""
    said = []
    for result in comparison.results:
        every = [image.metrics["vein_iou"] for image in result.judged]
        rest = [i.metrics["vein_iou"] for i in result.judged if i.sample.stem not in stems]
        if rest and len(rest) < len(every) and result.contender.kind != "baseline":
            said.append(
                f"{np.mean(rest):.3f} instead of {np.mean(every):.3f} for '{result.contender.name}'"
            )
    return f" Without these images the mean vein IoU is {', '.join(said)}." if said else ""


def of_fingers(comparison: Comparison) -> list[str]:
    """Tell how many different fingers there are, and what follows for intervals."""
    samples = comparison.samples
    fingers = {sample.finger for sample in samples}
    said = []
    if len(fingers) == 1 and fingers != {""} and len(samples) > 1:
        said.append(
            f"All {len(samples)} images are of one subject ({next(iter(fingers))}): the figures "
            "say how well this one is segmented and nothing about others."
        )
    elif "" in fingers:
        said.extend(_of_unknown_fingers(comparison))
    return [*said, *_of_intervals(comparison)]


def _of_intervals(comparison: Comparison) -> list[str]:
    """Tell why intervals are narrower than they should be, by the contender of fewest fingers."""
    with_intervals = [
        [image.sample.finger for image in result.judged]
        for result in comparison.results
        if len(result.judged) >= FEWEST_FINGERS
    ]
    if not with_intervals:
        return []
    fingers = min(
        with_intervals, key=lambda each: (grouping(each).by_finger, len(set(each) - {""}))
    )
    groups = grouping(fingers)
    if groups.by_finger:
        return [groups.caveat] if groups.caveat else []
    unknown = [s.stem for s in comparison.samples if not s.finger]
    named = f" ({listed(unknown)})" if len(unknown) < len(comparison.samples) else ""
    known = f"not all known{named}" if "" in fingers else f"only {len(set(fingers))}"
    return [
        f"The subjects are {known}, and intervals by subject need five: the 95 % intervals here "
        "resample images, which resemble each other within a subject, and are therefore too "
        "narrow; no two contenders can be told apart by them."
    ]


def _of_unknown_fingers(comparison: Comparison) -> list[str]:
    """Tell what hints at near duplicates; it stays a hint, names are never taken for fingers."""
    stems = [sample.image_path.stem for sample in comparison.samples]
    said = []
    heads = {re.split(r"[_\-. ]", stem, maxsplit=1)[0] for stem in stems}
    if len(stems) > 1 and len(heads) == 1 and heads != set(stems):
        head = "alike" if comparison.selection.anonymous else f"with '{next(iter(heads))}'"
        said.append(
            f"All {len(stems)} names begin {head}: if that names a subject, all images are of one "
            "subject and the figures say nothing about others."
        )
    if comparison.distinct_truths < len(stems) - len(comparison.overlap.copies):
        said.append(
            f"The {len(stems)} images have only "
            f"{counted(comparison.distinct_truths, 'different truth')}: "
            "some are near duplicates of each other."
        )
    if comparison.selection.training:
        overlap = comparison.overlap
        shared = overlap.split_fingers or overlap.same_pixels or overlap.near
        said.append(
            f"Training and hold-out {'share subjects' if shared else 'may share subjects'}, since "
            "not all are known. If file names tell the subject, tick 'The names say which subject "
            "it is' or give --finger-pattern."
        )
    return said


def of_left_out(comparison: Comparison) -> list[str]:
    """Name the files that are no sample."""
    if not comparison.left_out:
        return []
    count = len(comparison.left_out)
    names = listed(sorted(fault.stem for fault in comparison.left_out), 8)
    taken = counted(max(comparison.judged_counts, default=0), "image is", "images are")
    return [
        f"{taken} evaluated; {count} more could not be used (the report says why under "
        f"'Left out'): {names}."
    ]
