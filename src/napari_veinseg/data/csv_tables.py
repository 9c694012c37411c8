"""Tables as CSV files."""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from napari_veinseg.files import write_text, writing

Value = Annotated[float | int | str, "of a cell"]
TableRow = dict[str, Value]
"""The values of a row by column."""


def write_table(
    target: Path, rows: Iterable[Mapping[str, Value | None]], columns: Iterable[str]
) -> None:
    """Write rows as a CSV file, whole or not at all; its folder is made.

    Floats are written with six digits, NaN and None as an empty cell, and a text that a spreadsheet
    would take for a formula behind an apostrophe.
    """
    cells = ({name: _cell(value) for name, value in row.items()} for row in rows)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, table_text(cells, columns))


def table_text(rows: Iterable[Mapping[str, object]], columns: Iterable[str]) -> str:
    """Write rows as the text of a CSV file, every value as it is, an empty cell for none."""
    table = list(rows)
    # Python's writer does not quote a lone carriage return, at which its reader ends a row.
    returns = any("\r" in str(value) for row in table for value in row.values())
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text,
        list(columns),
        restval="",
        lineterminator="\n",
        quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL,
    )
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def as_written(cell: str) -> str:
    """Give back a text that `write_table` may have put behind an apostrophe."""
    return cell[1:] if cell.startswith("'") and plain_text(cell[1:]) == cell else cell


def plain_text(text: str) -> str:
    """Keep a spreadsheet from running a text: names of files and fingers may be a stranger's."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _cell(value: Value | None) -> Value | None:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return plain_text(value) if isinstance(value, str) else value
