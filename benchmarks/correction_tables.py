"""What `correction.py` has measured, as README and docs/correction.md tell it."""

from typing import Any

from figures import table

_WAYS = {
    "traced": "two clicks, within 2 px",
    "image only": "the same without the model's probability",
    "ridge filter": "plain ridge filter",
    "straight": "straight line",
}


def views(answer: dict[str, Any], shares: dict[str, list[float]]) -> dict[str, str]:
    """Give all that was measured, by the name in the marks."""
    found = {
        "tracing": _tracing(answer, shares),
        "tracing in a sentence": _tracing_sentence(answer, shares),
    }
    if "clicks" in answer:
        found |= {
            "correcting": _correcting(answer),
            "correcting in a sentence": _correcting_sentence(answer),
        }
    return found


def _tracing(answer: dict[str, Any], shares: dict[str, list[float]]) -> str:
    heads = (
        f"visible branches ({answer['visible_branches']})",
        f"half visible ({answer['half_visible_branches']})",
        f"all ({answer['branches']})",
    )
    rows = [
        {"": name} | {head: f"{share:.3f}" for head, share in zip(heads, shares[way], strict=True)}
        for way, name in _WAYS.items()
    ]
    return table(rows)


def _tracing_sentence(answer: dict[str, Any], shares: dict[str, list[float]]) -> str:
    traced, ridge, straight = (
        f"{100 * shares[way][0]:.0f} %" for way in ("traced", "ridge filter", "straight")
    )
    return (
        f"- Two clicks trace within 2 px of the true centreline for {traced} of the clearly "
        f"visible branches of\n  synthetic fingers ({answer['visible_branches']} branches; a "
        f"plain ridge filter {ridge}, straight lines {straight})."
    )


def _correcting(answer: dict[str, Any]) -> str:
    rows = [
        {"way": name, "actions": answer[key], "for each straight stroke": ratio}
        for name, key, ratio in (
            ("the tools", "clicks", answer["clicks_per_stroke"]),
            ("straight strokes", "strokes", 1.0),
            (
                "freehand strokes",
                "freehand_strokes",
                answer["freehand_strokes"] / max(answer["strokes"], 1),
            ),
        )
    ]
    return (
        f"{table(rows)}\n\n"
        f"{answer['corrected']} images, from a mean Dice of {answer['start_dice']} to "
        f"{answer['goal_dice']}; the truth's own centrelines, drawn anew, give "
        f"{answer['drawn_anew_dice']}."
    )


def _correcting_sentence(answer: dict[str, Any]) -> str:
    return (
        "- From the starter's mask to the Dice that all ways reach, a simulated annotator needs "
        f"{answer['clicks']} actions with the tools\n  on {answer['corrected']} images, and "
        f"{answer['strokes']} strokes with a brush that never errs by more than a pixel."
    )
