"""Which model drew a mask before a person corrected it, kept as a sample's source."""

import re
from collections.abc import Iterable

CORRECTED = "corrected"
_DRAWN_BY = re.compile(rf"{CORRECTED}, drawn by (.+)")


def corrected_source(model: str = "") -> str:
    """Say that a mask was corrected, and which model drew it where that is known."""
    return f"{CORRECTED}, drawn by {model}" if model else CORRECTED


def drawing_model(source: str) -> str:
    """Read which model drew a mask; empty where nobody knows."""
    found = _DRAWN_BY.fullmatch(source)
    return found[1] if found else ""


def origin_note(sources: Iterable[str], model: str) -> str:
    """Say how many truths grew out of a model's own masks, which favours it; empty for none."""
    known = list(sources)
    own = sum(drawing_model(source) == model for source in known)
    if not own:
        return ""
    return f"{own} of {len(known)} true masks began as masks of '{model}': the figures favour it."
