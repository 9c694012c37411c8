"""What a reader of the figures must know about the data behind them, the worst first."""

import re
from collections.abc import Sequence

from napari_veinseg.data.drawn_by import origin_note
from napari_veinseg.evaluation.bootstrap import FEWEST_FINGERS
from napari_veinseg.evaluation.comparison import Comparison
from napari_veinseg.evaluation.metrics import Counts

_MUCH_UNSURE = 0.001  # of what the truth knows
_NAMED = 3  # pairs of images


def caveats(comparison: Comparison) -> list[str]:
    """Say what makes the figures of a comparison weaker than they look."""
    return [
        *_of_contradictions(comparison),
        *_of_few_or_different_images(comparison),
        *_of_contenders_alike(comparison),
        *_of_leaks(comparison),
        *_of_training(comparison),
        *_of_doubt(comparison),
        *_of_empty_masks(comparison),
        *_of_copies(comparison),
        *_of_drawing(comparison),
        *_of_fingers(comparison),
        *_of_left_out(comparison),
    ]


def _of_contradictions(comparison: Comparison) -> list[str]:
    """Tell which truths cannot all be right."""
    pairs = comparison.overlap.contradictions
    if not pairs:
        return []
    return [
        f"Check the drawn masks: identical images have different ones, {len(pairs)} "
        f"{'pair' if len(pairs) == 1 else 'pairs'}{_examples(comparison, pairs)}. Does each mask "
        "belong to its image?"
    ]


def _of_contenders_alike(comparison: Comparison) -> list[str]:
    """Tell which contenders are one under two names, or a training that changed nothing."""
    names: dict[tuple[Counts, ...], list[str]] = {}
    for result in comparison.results:
        key = tuple(image.counts for image in result.images)
        names.setdefault(key, []).append(result.contender.name)
    return [
        f"{' and '.join(map(_quoted, alike))} score exactly alike on every image: is it one file "
        "under several names, or a training that changed nothing?"
        for counts, alike in names.items()
        if len(alike) > 1 and any(c.true_positive + c.false_positive for c in counts)
    ]


def _of_few_or_different_images(comparison: Comparison) -> list[str]:
    """Tell whether the figures of contenders can be compared at all."""
    said = []
    judged = [len(result.judged) for result in comparison.results if result.judged]
    if not judged:
        said.append("No image is new to a contender: there are no figures.")
    elif not comparison.same_images:
        said.append(
            "Do not compare the contenders: no image is new to all of them, so their figures are "
            "made of different images and cannot be compared."
        )
    if judged and min(judged) < FEWEST_FINGERS:
        said.append(
            f"Do not rank by these figures: {_of_images(min(judged))} too few for intervals, and a "
            "difference may be chance."
        )
    return said


def _of_leaks(comparison: Comparison) -> list[str]:
    """Tell what the evaluated images share with those that were learned from."""
    overlap, said = comparison.overlap, []
    every = len({sample.finger for sample in comparison.samples} - {""})
    for result, fingers in zip(comparison.results, overlap.known_fingers, strict=True):
        if fingers:
            said.append(
                f"Do not take the figures of {_quoted(result.contender.name)} for those of new "
                f"fingers: it was trained on other shots of {len(fingers)} of the {every} "
                "evaluated fingers."
            )
    if overlap.split_fingers:
        said.append(
            f"The split went by image: of the {every} held-out fingers "
            f"{len(overlap.split_fingers)} are in the training part, too: whatever was trained on "
            "this dataset knows them."
        )
    total = len(comparison.samples)
    for pairs, one, several in (
        (overlap.same_pixels, "has the very pixels of", "have the very pixels of"),
        (overlap.near, "looks like", "look like"),
    ):
        if pairs:
            how = one if len(pairs) == 1 else several
            said.append(
                f"Do not take all images for new: {len(pairs)} of the {total} images {how} a "
                f"training image{_examples(comparison, pairs)}, and whatever was trained on this "
                "dataset knows them."
            )
    if overlap.uncompared:
        said.append(
            f"Whether images look like a training image was not looked at: {overlap.uncompared:,} "
            "pairs are too many. Give shots of one finger the same finger, and none can be missed."
        )
    return said


def _of_copies(comparison: Comparison) -> list[str]:
    copies, total = comparison.overlap.copies, len(comparison.samples)
    if not copies:
        return []
    return [
        f"{len(copies)} of the {total} images {'is a copy' if len(copies) == 1 else 'are copies'} "
        f"of another one, pixel by pixel{_examples(comparison, copies)}: there are "
        f"{total - len(copies)} different images, and intervals are too narrow."
    ]


def _of_drawing(comparison: Comparison) -> list[str]:
    """Tell whose masks the truths were made from."""
    sources = [sample.source for sample in comparison.samples]
    notes = [origin_note(sources, result.contender.name) for result in comparison.results]
    return [note for note in notes if note]


def _quoted(name: str) -> str:
    """Mark where a name begins and ends: it may be several words."""
    return f"'{name}'"


def _examples(comparison: Comparison, pairs: Sequence[tuple[str, str]]) -> str:
    """Name the pairs, or the first of many."""
    if comparison.selection.anonymous:
        return ""
    named = [f"{one} and {other}" for one, other in pairs[:_NAMED]]
    more = len(pairs) - len(named)
    return f" ({'; '.join([*named, *([f'{more} more'] if more else [])])})"


def _of_images(count: int) -> str:
    return "they come from one image," if count == 1 else f"they are means of {count} images,"


def _of_doubt(comparison: Comparison) -> list[str]:
    said = []
    for result in comparison.results:
        share = result.unsure
        name = _quoted(result.contender.name)
        if share > _MUCH_UNSURE:
            doubt = (
                f"Do not take the figures of {name} for its judgement: it decides hardly any. "
                if result.undecided
                else ""
            )
            said.append(
                f"{doubt}{name} leaves {share:.1%} of the pixels unsure that the truth decides: "
                "they count as background."
            )
    return said


def _of_empty_masks(comparison: Comparison) -> list[str]:
    """Tell who finds nothing: one correction may then stand for a whole tree of veins."""
    said = []
    for result in comparison.results:
        counts = [image.counts for image in result.images]
        empty = sum(not c.true_positive + c.false_positive and c.false_negative > 0 for c in counts)
        if empty:
            said.append(
                f"{_quoted(result.contender.name)} marks no vein at all in {empty} of the "
                f"{len(counts)} images: there a place to correct is a whole tree of veins, and "
                "their number says little."
            )
    return said


def _of_training(comparison: Comparison) -> list[str]:
    total = len(comparison.samples)
    said = [
        _of_seen(_quoted(result.contender.name), result.seen, total)
        for result in comparison.results
        if result.seen
    ]
    judged = [len(result.judged) for result in comparison.results if result.judged]
    if len(judged) > 1 and comparison.same_images and judged[0] < total:
        said.append(
            f"All contenders are compared on the {judged[0]} images that are new to all of them."
        )
    return said


def _of_seen(name: str, seen: int, total: int) -> str:
    learnt = "it, or a model that it began from, was trained on"
    if seen == total:
        return f"{name} has no figures here: {learnt} all of these images ({total})."
    return (
        f"{seen} of the {total} images are left out of the figures of {name}: {learnt} them. They "
        "are marked in per_image.csv."
    )


def _of_fingers(comparison: Comparison) -> list[str]:
    samples = comparison.samples
    fingers = {sample.finger for sample in samples}
    said = []
    if len(fingers) == 1 and fingers != {""} and len(samples) > 1:
        said.append(
            f"All {len(samples)} images are of one finger ({next(iter(fingers))}): the figures say "
            "how well this finger is segmented and nothing about others."
        )
    elif "" in fingers:
        said.extend(_of_unknown_fingers(comparison))
    judged = min((len(each.judged) for each in comparison.results if each.judged), default=0)
    if judged >= FEWEST_FINGERS and ("" in fingers or len(fingers) < FEWEST_FINGERS):
        known = "not all known" if "" in fingers else f"only {len(fingers)}"
        said.append(
            f"The fingers are {known}, and intervals by finger need five: the 95 % intervals here "
            "resample images, which resemble each other within a finger, and are therefore too "
            "narrow; no two contenders can be told apart by them."
        )
    return said


def _of_unknown_fingers(comparison: Comparison) -> list[str]:
    """Tell what hints at near duplicates; it stays a hint, names are never taken for fingers."""
    stems = [sample.image_path.stem for sample in comparison.samples]
    said = []
    heads = {re.split(r"[_\-. ]", stem, maxsplit=1)[0] for stem in stems}
    if len(stems) > 1 and len(heads) == 1 and heads != set(stems):
        head = "alike" if comparison.selection.anonymous else f"with '{next(iter(heads))}'"
        said.append(
            f"All {len(stems)} names begin {head}: if that names a finger, all images are of one "
            "finger and the figures say nothing about others."
        )
    if comparison.distinct_truths < len(stems) - len(comparison.overlap.copies):
        said.append(
            f"The {len(stems)} images have only {comparison.distinct_truths} different truths: "
            "some are near duplicates of each other."
        )
    if comparison.selection.training:
        said.append(
            "Training and hold-out may share fingers, since not all are known. If file names tell "
            "the finger, tick 'The names say which finger it is' or give --finger-pattern."
        )
    return said


def _of_left_out(comparison: Comparison) -> list[str]:
    if not comparison.left_out:
        return []
    count = len(comparison.left_out)
    names = ", ".join(sorted(fault.stem for fault in comparison.left_out)[:8])
    more = ", …" if count > 8 else ""
    taken = (
        "1 image is" if len(comparison.samples) == 1 else f"{len(comparison.samples)} images are"
    )
    return [
        f"{taken} evaluated; {count} more could not be used (the report says why under "
        f"'Left out'): {names}{more}."
    ]
