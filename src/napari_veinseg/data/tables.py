"""Tables as CSV files."""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import write_text

Value = float | int | str


def write_table(target: Path, rows: Iterable[Mapping[str, Value]], columns: Iterable[str]) -> None:
    """Write rows as a CSV file, whole or not at all.

    Parameters
    ----------
    target : Path
        The file; its folder is made.
    rows : iterable of mapping
        One value for each column; floats are written with six digits, NaN as an empty cell, and a
        text that a spreadsheet would take for a formula behind an apostrophe.
    columns : iterable of str
        The columns in order.

    Raises
    ------
    VeinSegError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, text.getvalue())
    except OSError as error:
        raise VeinSegError(
            f"{target} was not written ({error.strerror}): check the folder, rights and space."
        ) from error


def plain_text(text: str) -> str:
    """Keep a spreadsheet from running a text: names of files and fingers may be a stranger's.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The text, behind an apostrophe if it begins as formulas do.
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _cell(value: Value) -> Value:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return plain_text(value) if isinstance(value, str) else value
