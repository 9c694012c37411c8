"""What a reader of the figures must know about the data behind them."""

import re

from napari_veinseg.evaluation.bootstrap import FEWEST_FINGERS
from napari_veinseg.evaluation.comparison import Comparison


def caveats(comparison: Comparison) -> list[str]:
    """Say what makes the figures of a comparison weaker than they look.

    Parameters
    ----------
    comparison : Comparison
        What was scored.

    Returns
    -------
    list of str
        Sentences for the report; none where nothing is to be said.
    """
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
    if "" in fingers or len(fingers) < FEWEST_FINGERS:
        known = "not all known" if "" in fingers else f"only {len(fingers)}"
        said.append(
            f"The fingers are {known} (five are needed): the 95 % intervals resample images, "
            "which resemble each other within a finger, and are therefore optimistic."
        )
    said.extend(_of_training(comparison))
    if comparison.unusable:
        names = ", ".join(sorted(comparison.unusable))
        count = len(comparison.unusable)
        who, are = ("1 sample", "is") if count == 1 else (f"{count} samples", "are")
        said.append(f"{who} could not be used and {are} left out: {names}.")
    return said


def _of_unknown_fingers(comparison: Comparison) -> list[str]:
    """Tell what hints at near duplicates; it stays a hint, names are never taken for fingers."""
    stems = [sample.image_path.stem for sample in comparison.samples]
    said = []
    heads = {re.split(r"[_\-. ]", stem, maxsplit=1)[0] for stem in stems}
    if len(stems) > 1 and len(heads) == 1 and heads != set(stems):
        named = stems == [sample.stem for sample in comparison.samples]  # else by pseudonyms
        head = f"with '{next(iter(heads))}'" if named else "alike"
        said.append(
            f"All {len(stems)} names begin {head}: if that names a finger, all images are of one "
            "finger and the figures say nothing about others."
        )
    if comparison.distinct_truths < len(stems):
        said.append(
            f"The {len(stems)} images have only {comparison.distinct_truths} different truths: "
            "some are near duplicates of each other."
        )
    return said


def _of_training(comparison: Comparison) -> list[str]:
    said = []
    for result in comparison.results:
        seen = len(result.images) - len(result.unseen)
        if seen:
            said.append(
                f"{result.contender.name} was trained on {seen} of the {len(result.images)} "
                "images: they are marked in per_image.csv and left out of its figures."
            )
    return said
