"""`summary.csv` of an output folder: what became of each image, over all runs into it."""

import csv
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from napari_veinseg.data.csv_tables import as_written, write_table
from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.files import locked, make_output_folder, writing
from napari_veinseg.segmentation.batch.plan_files import FilePlan
from napari_veinseg.segmentation.batch.provenance import Provenance

_NAME = "summary.csv"
_WHOLE = ("slices", "height", "width")
_REAL = ("vein_width", "vein_share", "seconds")
_LATER = ("note", "model", "settings", "image_digest", "mask_digest")  # older tables lack them
_SECONDS_BETWEEN_WRITES = 10.0  # a run that is killed loses no more rows than these give


@dataclass(frozen=True)
class SummaryRow:
    """What became of one image: a row of `summary.csv`."""

    image: str
    """The path as it was given."""
    mask: str
    """The name of the mask in the output folder, with `/` between folders; empty if there is none.
    """
    status: str
    """`done`, `kept` (it was there already) or `failed` (a mask of an earlier run stays)."""
    slices: int | None = None
    height: int | None = None
    width: int | None = None
    """The size of the image; None, an empty cell, here and below for what was not measured."""
    vein_width: float | None = None
    """The vein width, in px, that the network was told: the one given, or three quarters of what it
    draws (`vein_width_from_network`).  How wide the mask's veins are, `veinseg measure` says."""
    vein_share: float | None = None
    """The share of its pixels that is vein, in [0, 1]."""
    seconds: float | None = None
    """From the image and its vein width to the mask, without reading, writing and waiting."""
    error: str = ""
    """The sentence that says why it failed."""
    note: str = ""
    """What a person should know: an empty mask, a mask that was kept though it would now be made
    otherwise."""
    model: str = ""
    settings: str = ""
    image_digest: str = ""
    """What the mask was made from, see `provenance.Provenance`."""
    mask_digest: str = ""
    """Of the mask's file when it was written, to tell whether somebody has edited it since."""

    @property
    def provenance(self) -> Provenance:
        """What the mask was made from."""
        return Provenance(self.model, self.settings, self.image_digest)


def open_output(
    plans: Sequence[FilePlan], folder: str | Path, overwrite: bool = False
) -> tuple[list[FilePlan], list[SummaryRow]]:
    """Make the folder for results ready, before any work.

    Gives the plans with what earlier runs told of each mask, and all that these told.

    Raise VeinSegError if the folder cannot be made or written to, or holds the mask of another
    image under the name of one of these.
    """
    folder = make_output_folder(folder)
    with _alone(folder):
        known = read_summary(folder / _NAME)
        if not overwrite:
            _refuse_masks_of_others(plans, known)
        write_summary(folder / _NAME, known)
    made = {row.mask: row for row in known if row.mask}
    return [replace(plan, made=made.get(plan.name)) for plan in plans], known


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one who changes the table, of all runs into a folder."""
    with writing(folder / _NAME), locked(folder):
        yield


def _refuse_masks_of_others(plans: Sequence[FilePlan], known: Sequence[SummaryRow]) -> None:
    owners = {row.mask: row.image for row in known}
    for plan in plans:
        owner = owners.get(plan.name)
        if owner and plan.mask.exists() and not _same_image(Path(owner), plan.source):
            raise VeinSegError(
                f"{plan.mask} is the mask of {owner}, not of {plan.source}: choose another folder, "
                "or overwrite."
            )


def _same_image(told: Path, now: Path) -> bool:
    """Whether two paths may mean one image, though a relative one was told in another folder."""
    parts = tuple(part for part in told.parts if part != "..")
    return told.resolve() == now.resolve() or (
        not told.is_absolute() and now.resolve().parts[-len(parts) :] == parts
    )


def collect(
    plans: Sequence[FilePlan],
    rows: Iterable[SummaryRow],
    folder: str | Path,
    known: Sequence[SummaryRow] = (),
    report: Callable[[SummaryRow, int, int], None] | None = None,
) -> list[SummaryRow]:
    """Take the rows as they come, in any order, and write them to `summary.csv` however that ends.

    What `open_output` found is known: a mask that is kept keeps its figures, and so do masks that
    are none of these plans.  The report is called with each row, the number of rows so far and of
    all; it may raise `Cancelled`.
    """
    folder = Path(folder)
    collected: list[SummaryRow] = []
    next_write = time.monotonic() + _SECONDS_BETWEEN_WRITES
    try:
        for row in rows:
            collected.append(row)
            if report:
                report(row, len(collected), len(plans))
            if time.monotonic() > next_write:
                began = time.monotonic()
                with suppress(VeinSegError):  # it is told at the end
                    _add(folder, collected, set(known))
                pause = max(_SECONDS_BETWEEN_WRITES, 20 * (time.monotonic() - began))
                next_write = time.monotonic() + pause
    finally:  # also what was done before a cancel is told
        place = {str(plan.source): number for number, plan in enumerate(plans)}
        collected.sort(key=lambda row: place[row.image])
        try:
            _add(folder, collected, set(known))
        except VeinSegError as error:  # open in a spreadsheet: the masks are there all the same
            warnings.warn(str(error), VeinSegWarning, stacklevel=2)
    return collected


def _add(folder: Path, collected: Sequence[SummaryRow], known: set[SummaryRow]) -> None:
    """Write our rows, and of the others those whose mask is there and those of runs meanwhile."""
    ours = {name for row in collected for name in (row.image, row.mask) if name}
    with _alone(folder):
        now = read_summary(folder / _NAME)
        others = [
            row
            for row in now
            if ours.isdisjoint((row.image, row.mask))
            and (row not in known or (row.mask and (folder / row.mask).exists()))
        ]
        write_summary(folder / _NAME, [*collected, *others])


def read_summary(path: Path) -> list[SummaryRow]:
    """Read what `write_summary` wrote; nothing where there is no such file, or an empty one.

    Raises
    ------
    VeinSegError
        If the file holds something else.
    OSError
        If it cannot be read.
    """
    try:  # spreadsheets put a mark before what they save as UTF-8
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            table = csv.DictReader(file)
            needed = {field.name for field in fields(SummaryRow)} - set(_LATER)
            if table.fieldnames is not None and not needed.issubset(table.fieldnames):
                raise ValueError(f"not the columns of a summary: {table.fieldnames}")
            return [_row(cells) for cells in table]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise VeinSegError(
            f"{path} is no table as veinseg writes it: move it, or choose another folder."
        ) from error


def _row(cells: dict[str, str]) -> SummaryRow:
    values: dict[str, Any] = {}
    for field in fields(SummaryRow):
        cell = cells.get(field.name, "")
        if field.name in (*_WHOLE, *_REAL):
            kind = int if field.name in _WHOLE else float
            values[field.name] = kind(cell) if cell else None
        else:
            values[field.name] = as_written(cell)
    return SummaryRow(**values)


def write_summary(path: Path, rows: Iterable[SummaryRow]) -> None:
    """Write what became of each image as a table."""
    write_table(path, map(asdict, rows), [field.name for field in fields(SummaryRow)])
