"""Names that a model may have: plain on every system, and not to be taken for another's."""

import re
import unicodedata
from collections.abc import Iterable

from napari_veinseg.errors import VeinSegError

_PLAIN = re.compile(r"\w[\w .()+-]{0,99}")
_DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])( *\..*)?", re.IGNORECASE)
# Letters of other alphabets that look like Latin ones.
_ALIKE = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕһкгтԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγεικνορτυıɑɡ",
    "ABEKMHOPCTYXIJSaeopcyxijshkrtdqwABEZHIKMNOPTYXayeikvoptuiag",
)


def checked_name(name: str, taken: Iterable[str]) -> str:
    """Refuse a name that some system cannot keep, or that can be taken for one in use.

    Gives the name with its accents in one piece with their letters (NFC); it may be in use itself.

    Raise VeinSegError if it is no plain name, the name of a device of Windows, or looks like one in
    use.
    """
    name = unicodedata.normalize("NFC", name)
    if not _PLAIN.fullmatch(name) or name.endswith((" ", ".")):
        raise VeinSegError(
            f"A model cannot be called {name!r}: use letters, digits, spaces, '-', '_' and '.'."
        )
    if _DEVICES.fullmatch(name):
        raise VeinSegError(
            f"A model cannot be called {name!r}, which is a device of Windows: choose another name."
        )
    for other in taken:
        if name != other and looks(name) == looks(other):
            raise VeinSegError(
                f"A model cannot be called {name!r}, which looks like the model {other!r}: choose "
                "another name."
            )
    return name


def looks(name: str) -> str:
    """Reduce a name to what a person tells names apart by."""
    return unicodedata.normalize("NFKC", name).translate(_ALIKE).casefold()
