"""`samples.csv`: what a dataset knows about its samples beside their pixels.

The file is text that anybody may have edited or sent: every value stays a text here, a stem is
only ever compared with the names of files that were found, and what cannot be meant is refused in
one sentence.  Columns that we do not know are kept.
"""

import csv
import io
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from unicodedata import normalize

from napari_veinseg.data.csv_tables import table_text
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import opening, write_text

COLUMNS = ("stem", "finger", "split", "reviewed", "source")
SPLITS = ("", "train", "validation")

_MOST_BYTES = 200_000_000  # some two million rows: more is no list of drawn masks
_LONGEST_STEM = 180  # file systems stop at 255 bytes, and a temporary name is longer
_NOT_IN_NAMES = frozenset('<>:"/\\|?*')

SampleRow = dict[str, str]


def is_stem(text: str) -> bool:
    """Tell whether a text is a plain name that can be the stem of a file on every system."""
    return (
        0 < len(text.encode("utf-8", "surrogatepass")) <= _LONGEST_STEM
        and not text.startswith(".")
        and text == text.strip()
        and text.isprintable()
        and _NOT_IN_NAMES.isdisjoint(text)
    )


def stem_from(name: str) -> str:
    """Make a stem out of any name, with `_` for what a file name cannot hold."""
    kept = "".join(
        "_" if sign in _NOT_IN_NAMES or not sign.isprintable() else sign for sign in name
    )
    kept = (
        normalize("NFC", kept).encode("utf-8", "replace")[:_LONGEST_STEM].decode("utf-8", "ignore")
    )
    return kept.strip().lstrip(".").strip() or "image"


def read_rows(path: Path) -> dict[str, SampleRow]:
    """Read `samples.csv`.

    A row for each stem (in Unicode's composed form), in the order of the file, with at least
    `COLUMNS`.

    Raise VeinSegError if it is not UTF-8 text with a column `stem`, or a row repeats a stem, names
    a file elsewhere, or has an unknown split.
    """
    if not path.is_file():
        return {}
    rows: dict[str, SampleRow] = {}
    for line, row in enumerate(_parse(path), start=2):
        stem, split = normalize("NFC", row["stem"]), row["split"]
        if not is_stem(stem):
            raise VeinSegError(f"{path} line {line}: {stem[:80]!r} is no file stem; correct it.")
        if stem in rows:
            raise VeinSegError(f"{path} line {line}: {stem!r} stands there twice; delete one.")
        if split not in SPLITS:
            raise VeinSegError(
                f"{path} line {line}: the split {split[:80]!r} is unknown; write 'train', "
                "'validation' or nothing."
            )
        rows[stem] = row | {"stem": stem}
    return rows


def _parse(path: Path) -> list[SampleRow]:
    try:
        with opening(path):
            if path.stat().st_size > _MOST_BYTES:
                raise VeinSegError(f"{path} has more than {_MOST_BYTES // 10**6} MB: replace it.")
            with path.open(encoding="utf-8-sig", newline="") as file:  # what is quoted stays as is
                text = file.read()
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
        if "stem" not in (reader.fieldnames or ()):
            raise VeinSegError(
                f"{path} has no column 'stem': its first line names the columns {COLUMNS}."
            )
        blank = dict.fromkeys(COLUMNS, "")
        # A row longer than the header has its surplus under the key None.
        return [blank | {key: row[key] for key in row if key is not None} for row in reader]
    except UnicodeDecodeError as error:
        raise VeinSegError(f"{path} is not UTF-8 text: save it as UTF-8.") from error
    except csv.Error as error:
        raise VeinSegError(f"{path} is not comma-separated text ({error}): correct it.") from error


def write_rows(path: Path, rows: Mapping[str, SampleRow]) -> None:
    """Write `samples.csv` sorted by stem, whole or not at all."""
    columns = dict.fromkeys(chain(COLUMNS, *rows.values()))
    text = table_text((rows[stem] for stem in sorted(rows)), columns)
    # A dataset is UTF-8 for all who read it, whatever bytes are in the name of a source.
    write_text(path, text.encode("utf-8", "replace").decode())
