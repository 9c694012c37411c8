"""Which model drew a mask, and whether a person changed it since: kept as a sample's source."""

import re
from collections.abc import Iterable

CORRECTED, AS_DRAWN = "corrected", "reviewed as drawn"
_DRAWN_BY = re.compile(rf"(?:{CORRECTED}, drawn|{AS_DRAWN}) by (.+)")


def corrected_source(model: str = "") -> str:
    """Say that a mask was corrected, and which model drew it where that is known."""
    return f"{CORRECTED}, drawn by {model}" if model else CORRECTED


def as_drawn_source(model: str = "") -> str:
    """Say where a mask came from on which the person who reviewed it drew nothing."""
    return f"{AS_DRAWN} by {model}" if model else AS_DRAWN


def is_as_drawn(source: str) -> bool:
    """Tell whether a mask was reviewed as it was drawn; false where nobody knows."""
    return source == AS_DRAWN or source.startswith(f"{AS_DRAWN} by ")


def drawing_model(source: str) -> str:
    """Read which model drew a mask; empty where nobody knows."""
    found = _DRAWN_BY.fullmatch(source)
    return found[1] if found else ""


def origin_note(sources: Iterable[str], model: str) -> str:
    """Say how many truths grew out of a model's own masks, which favours it; empty for none."""
    known = list(sources)
    own = [source for source in known if drawing_model(source) == model]
    if not own:
        return ""
    began = f"{len(own)} of {len(known)} true masks began as masks of '{model}'"
    same = sum(map(is_as_drawn, own))
    kept = f", {same} of them reviewed just as it drew them" if same else ""
    return f"{began}{kept}: the figures favour it."
