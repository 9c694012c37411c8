"""Which model drew a mask before a person corrected it, kept as a sample's source."""

import re
from collections.abc import Iterable

CORRECTED = "corrected"
_DRAWN_BY = re.compile(rf"{CORRECTED}, drawn by (.+)")


def corrected_source(model: str = "") -> str:
    """Say where a corrected mask came from.

    Parameters
    ----------
    model : str, optional
        The name of the model that drew it; empty where nobody knows.
    """
    return f"{CORRECTED}, drawn by {model}" if model else CORRECTED


def drawing_model(source: str) -> str:
    """Read which model drew a mask.

    Returns
    -------
    str
        Empty where nobody knows.
    """
    found = _DRAWN_BY.fullmatch(source)
    return found[1] if found else ""


def origin_note(sources: Iterable[str], model: str) -> str:
    """Say how many truths grew out of a model's own masks: they are closer to it than chance.

    Parameters
    ----------
    sources : iterable of str
        Of the samples that are judged on.
    model : str
        The name of the model that is judged.

    Returns
    -------
    str
        A sentence; empty where none did.
    """
    known = list(sources)
    own = sum(drawing_model(source) == model for source in known)
    if not own:
        return ""
    return f"{own} of {len(known)} true masks began as masks of '{model}': the figures favour it."
