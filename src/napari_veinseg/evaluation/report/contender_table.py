"""The rows of a report's first table: who is compared, and what each has learned from."""

from collections.abc import Sequence
from typing import Any

from napari_veinseg.evaluation.comparison import Comparison, ContenderResult
from napari_veinseg.evaluation.contenders import Contender, Model
from napari_veinseg.evaluation.report.ink import PAGE


def contender_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Tell who is compared, and what each has learned from."""
    rows = []
    for index, result in enumerate(comparison.results):
        contender = result.contender
        rows.append(
            {
                "name": contender.name,
                "colour": PAGE.contender(index),
                "kind": contender.kind,
                "threshold": _threshold(contender),
                "trained_on": _trained_on(contender),
                **_seen(result, comparison.overlap.known_fingers[index]),
            }
        )
    return rows


def _threshold(contender: Contender) -> str:
    if isinstance(contender, Model):
        return f"{contender.settings.threshold or contender.card.threshold:g}"
    return "strongest tenth" if contender.kind == "baseline" else "none"


def _trained_on(contender: Contender) -> str:
    if contender.kind == "baseline":
        return "nothing"
    said = contender.card.training_data.summary if contender.card else ""
    return said or ("its card does not say" if contender.card else "not known")


def _seen(result: ContenderResult, other_shots: Sequence[str]) -> dict[str, str]:
    """Count the evaluated images and fingers that a contender was trained on."""
    card, samples = result.contender.card, [image.sample for image in result.images]
    if result.contender.kind == "baseline":
        return {"images": "none", "fingers": "none"}
    if not card or not card.training_data.image_hashes:
        return {"images": "cannot be checked", "fingers": "cannot be checked"}
    fingers = {sample.finger for sample in samples}
    known = {image.sample.finger for image in result.images if image.seen} | set(other_shots)
    return {
        "images": f"{result.seen} of {len(samples)}",
        "fingers": "not all known" if "" in fingers else f"{len(known)} of {len(fingers)}",
    }
