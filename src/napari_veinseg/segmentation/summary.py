"""`summary.csv` of an output folder: what became of each image, over all runs into it."""

import csv
import io
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from napari_veinseg.data.tables import plain_text
from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.files import make_output_folder, sweep, write_text
from napari_veinseg.segmentation.jobs import Job

_NAME = "summary.csv"


@dataclass(frozen=True)
class FileRow:
    """What became of one image: a row of `summary.csv`.

    Parameters
    ----------
    image : str
        The path as it was given.
    mask : str
        The name of the mask in the output folder; empty if there is none.
    status : str
        `done`, `kept` (it was there already) or `failed`.
    slices, height, width : int
        The size of the image; 0 if it was not read.
    vein_width : float
        The vein width, in px, that was given or estimated.
    vein_share : float
        The share of its pixels that is vein, in [0, 1].
    seconds : float
        From the image and its vein width to the mask, without reading, writing and waiting.
    error : str
        The sentence that says why it failed.
    """

    image: str
    mask: str
    status: str
    slices: int = 0
    height: int = 0
    width: int = 0
    vein_width: float = 0.0
    vein_share: float = 0.0
    seconds: float = 0.0
    error: str = ""


def open_output(jobs: Sequence[Job], folder: str | Path, overwrite: bool = False) -> list[FileRow]:
    """Make the folder for results ready, before any work.

    Parameters
    ----------
    jobs : sequence of Job
        What is to be done.
    folder : str or Path
        The folder; it may exist.
    overwrite : bool, optional
        Whether results that are there already are made anew.

    Returns
    -------
    list of FileRow
        What earlier runs wrote there.

    Raises
    ------
    VeinSegError
        If the folder cannot be made or written to, or holds the mask of another image under the
        name of one of these.
    """
    folder = make_output_folder(folder)
    sweep(folder)
    known = read_summary(folder / _NAME)
    if not overwrite:
        _refuse_masks_of_others(jobs, known)
    write_summary(folder / _NAME, known)
    return known


def _refuse_masks_of_others(jobs: Sequence[Job], known: Sequence[FileRow]) -> None:
    owners = {row.mask: row.image for row in known}
    for job in jobs:
        owner = owners.get(job.mask.name)
        if owner and job.mask.exists() and not _same_image(Path(owner), job.source):
            raise VeinSegError(
                f"{job.mask} is the mask of {owner}, not of {job.source}: choose another folder, "
                "or overwrite."
            )


def _same_image(told: Path, now: Path) -> bool:
    """Whether two paths may mean one image, though a relative one was told in another folder."""
    parts = tuple(part for part in told.parts if part != "..")
    return told.resolve() == now.resolve() or (
        not told.is_absolute() and now.resolve().parts[-len(parts) :] == parts
    )


def collect(
    jobs: Sequence[Job],
    rows: Iterable[FileRow],
    folder: str | Path,
    known: Sequence[FileRow] = (),
    report: Callable[[FileRow, int, int], None] | None = None,
) -> list[FileRow]:
    """Take the rows as they come, and write them to `summary.csv` however that ends.

    Parameters
    ----------
    jobs : sequence of Job
        All jobs.
    rows : iterable of FileRow
        What becomes of them, in any order.
    folder : str or Path
        The folder for the summary.
    known : sequence of FileRow, optional
        What `open_output` found: a mask that is kept keeps its figures, and so do masks that are
        none of these jobs.
    report : callable, optional
        Called with each row, the number of rows so far and of all; it may raise `Cancelled`.

    Returns
    -------
    list of FileRow
        In the order of the jobs.
    """
    folder = Path(folder)
    place = {str(job.source): number for number, job in enumerate(jobs)}
    before = {row.mask: row for row in known if row.mask and (folder / row.mask).exists()}
    collected: list[FileRow] = []
    try:
        for row in rows:
            if row.status == "kept" and row.mask in before:
                row = replace(before[row.mask], image=row.image, status="kept")
            collected.append(row)
            if report:
                report(row, len(collected), len(jobs))
    finally:  # also what was done before a cancel is told
        collected.sort(key=lambda row: place[row.image])
        told = {row.mask for row in collected}
        others = [row for mask, row in before.items() if mask not in told]
        try:
            write_summary(folder / _NAME, [*collected, *others])
        except VeinSegError as error:  # open in a spreadsheet: the masks are there all the same
            warnings.warn(str(error), VeinSegWarning, stacklevel=2)
    return collected


def read_summary(path: Path) -> list[FileRow]:
    """Read what `write_summary` wrote.

    Parameters
    ----------
    path : Path
        The csv file.

    Returns
    -------
    list of FileRow
        Nothing where there is no such table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_row(cells) for cells in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error):
        return []


def _row(cells: dict[str, str]) -> FileRow:
    values: dict[str, Any] = {}
    for field in fields(FileRow):
        kind, cell = type(field.default), cells[field.name]
        values[field.name] = kind(cell) if kind in (int, float) else _as_written(cell)
    return FileRow(**values)


def _as_written(cell: str) -> str:
    """Take away the apostrophe that `plain_text` put before what begins as formulas do."""
    return cell[1:] if cell.startswith("'") and plain_text(cell[1:]) == cell else cell


def write_summary(path: Path, rows: Iterable[FileRow]) -> None:
    """Write what became of each image as a table.

    Parameters
    ----------
    path : Path
        The csv file to create or replace.
    rows : iterable of FileRow
        One an image.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(field.name for field in fields(FileRow))
    for row in rows:
        cells = (plain_text(cell) if isinstance(cell, str) else cell for cell in astuple(row))
        table.writerow(round(cell, 5) if isinstance(cell, float) else cell for cell in cells)
    try:
        write_text(path, text.getvalue())
    except OSError as error:
        raise VeinSegError(
            f"{path} was not written ({error.strerror or error}): check folder, rights and space."
        ) from error
