"""What was measured, as tables by branch and by image."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np

from napari_veinseg.data.csv_tables import TableRow, write_table
from napari_veinseg.data.image_files import without_probabilities
from napari_veinseg.data.mask_files import numbered_remark, read_drawn_mask
from napari_veinseg.data.mixed_folders import list_masks
from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.files import check_output_folder
from napari_veinseg.measurement.measure import Measurement, measure

BRANCHES, IMAGES = "branches.csv", "images.csv"


def branch_rows(measurement: Measurement, unit: str = "px") -> Iterator[TableRow]:
    """Give the table by branch.

    A row has `branch` (from 1), figures with their unit, what is at both ends and where, in px.
    """
    pairs = zip(measurement.skeleton.branches, measurement.branches, strict=True)
    for number, (branch, figures) in enumerate(pairs, start=1):
        kinds = ["end" if node is None else "bifurcation" for node in (branch.start, branch.end)]
        if branch.is_ring:
            kinds = ["ring", "ring"]
        (first_row, first_column), (last_row, last_column) = branch.path[[0, -1]].tolist()
        values = (
            number,
            figures.length,
            figures.mean_width,
            figures.width_5,
            figures.width_95,
            figures.tortuosity,
            *(kinds[0], first_row, first_column),
            *(kinds[1], last_row, last_column),
        )
        yield dict(zip(branch_columns(unit), values, strict=True))


def branch_columns(unit: str = "px") -> list[str]:
    """Name the columns of the table by branch."""
    lengths = ("length", "mean_width", "width_5_percent", "width_95_percent")
    ends = [f"{end}{part}" for end in ("from", "to") for part in ("", "_row_px", "_column_px")]
    return ["branch", *(f"{name}_{unit}" for name in lengths), "tortuosity", *ends]


def image_row(measurement: Measurement, unit: str = "px") -> TableRow:
    """Give the row of an image."""
    with_unit = {
        "area": f"area_{unit}2",
        "total_length": f"total_length_{unit}",
        "median_width": f"median_width_{unit}",
        "bifurcation_density": f"bifurcations_per_{unit}2",
    }
    return {with_unit.get(name, name): value for name, value in asdict(measurement.image).items()}


def measure_files(
    inputs: Iterable[Path],
    output: Path,
    pixel_size: Annotated[float | None, "side of a pixel in that unit; None in px"] = None,
    unit: str = "px",
    tell: Callable[[str], object] = print,
) -> int:
    """Measure mask files into `branches.csv` and `images.csv` of a folder, and count the masks.

    Of folders all masks are measured, without the probabilities and images beside them; a stack
    counts as one mask a slice.  A mask is called by its stem, or by its path where several files
    have that stem.  The unit of the lengths is part of the column names.  `tell` gets a
    sentence for each file that cannot be measured; the others are measured.
    """
    if (pixel_size is None) != (unit == "px"):
        raise VeinSegError(
            "Give the size of a pixel and its unit together, as --pixel-size 0.05 --unit mm, or "
            "neither: lengths are then in px."
        )
    side = pixel_size or 1.0
    check_output_folder(output)
    found = [file for path in inputs for file in (list_masks(path) if path.is_dir() else [path])]
    files = without_probabilities(found)
    if not files:
        raise VeinSegError("There is no mask to measure: name mask files or a folder of them.")
    stems = Counter(file.stem for file in files)
    branches: list[TableRow] = []
    images: list[TableRow] = []
    faults: list[str] = []
    for file in files:
        try:
            stack, numbered = read_drawn_mask(file)
        except VeinSegError as error:
            faults.append(str(error))
            tell(faults[-1])
            continue
        if numbered:
            warnings.warn(numbered_remark(str(file)), VeinSegWarning, stacklevel=2)
        name = file.stem if stems[file.stem] == 1 else str(file)
        for number, mask in enumerate(stack if stack.ndim == 3 else stack[np.newaxis]):
            place: TableRow = {"mask": name, "slice": number}
            measured = measure(mask, (side, side))
            images.append(place | image_row(measured, unit))
            branches.extend(place | row for row in branch_rows(measured, unit))
    if not images:
        raise VeinSegError(f"No mask could be measured; the first: {faults[0]}")
    write_tables(output, branches, images, unit)
    return len(images)


def write_tables(
    folder: Path, branches: Sequence[TableRow], images: Sequence[TableRow], unit: str
) -> None:
    """Write `branches.csv` and `images.csv` of a folder; their rows may begin with a place."""
    place = [name for name in images[0] if name in ("mask", "slice")]
    columns = branches[0] if branches else [*place, *branch_columns(unit)]
    write_table(folder / BRANCHES, branches, columns)
    write_table(folder / IMAGES, images, images[0])
