"""Which model drew a mask, and whether a person changed it since: kept as a sample's source."""

import re
from collections.abc import Iterable

from napari_veinseg.wording import capitalised, some_of

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


def origin_notes(sources: Iterable[str], judged: Iterable[str]) -> list[str]:
    """Say how many truths are masks of models, or grew out of those of a judged model.

    What a model drew and nobody corrected is told whichever models are judged.
    """
    known = list(sources)
    as_drawn = [source for source in known if is_as_drawn(source) and drawing_model(source)]
    notes = []
    if as_drawn:
        drew = " and ".join(sorted({f"'{drawing_model(source)}'" for source in as_drawn}))
        are, them = ("is", "it") if len(as_drawn) == 1 else ("are", "them")
        notes.append(
            f"{capitalised(some_of(len(as_drawn), len(known), 'true mask'))} {are} just as "
            f"{drew} drew {them}, reviewed but not corrected: the "
            "figures favour models that draw alike."
        )
    for model in judged:
        own = known.count(corrected_source(model))
        if own:
            were = "was corrected from a mask" if own == 1 else "were corrected from masks"
            notes.append(
                f"{capitalised(some_of(own, len(known), 'true mask'))} {were} of '{model}': the "
                "figures favour it."
            )
    return notes
