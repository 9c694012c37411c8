"""Pictures of images, truths and predictions side by side on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Mask
from napari_veinseg.evaluation.error_map import COLOURS, NAMES, Agreement, agreement
from napari_veinseg.files import atomic_path, writing

RGB = Annotated[NDArray[np.uint8], "`(Y, X, 3)`"]

_INK = "#222222"

_CELL_WIDTH = 3.2  # inches
_DOTS_PER_INCH = 120


_PALETTE = np.zeros((len(Agreement), 3), np.uint8)
for _kind, _colour in COLOURS.items():
    _PALETTE[_kind] = tuple(bytes.fromhex(_colour[1:]))


@dataclass(frozen=True)
class SheetRow:
    """One row of a contact sheet."""

    title: str
    """What stands above the row."""
    cells: Sequence[NDArray[Any]]
    """Pictures, grey `(Y, X)` or coloured `(Y, X, 3)`, one a column."""


def mask_picture(mask: Mask) -> RGB:
    """Draw a mask: veins light, unsure grey, background black."""
    return agreement_picture(mask, mask)


def agreement_picture(prediction: Mask, truth: Mask) -> RGB:
    """Draw where both agree, and where each is alone, in `error_map.COLOURS`."""
    return _PALETTE[agreement(prediction, truth)]


def write_contact_sheet(
    path: Path, columns: Sequence[str], rows: Sequence[SheetRow], legend: bool = False
) -> None:
    """Write a page of pictures."""
    from matplotlib.figure import Figure

    heights = [
        _CELL_WIDTH * max(cell.shape[0] / cell.shape[1] for cell in row.cells) for row in rows
    ]
    page_width, page_height = _CELL_WIDTH * len(columns), sum(heights) + 0.36 * len(rows) + 0.7
    figure = Figure((page_width, page_height), _DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots(
        len(rows), len(columns), squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for row, places in zip(rows, axes, strict=True):
        for cell, place in zip(row.cells, places, strict=True):
            place.imshow(cell, cmap="gray", interpolation="nearest")
            place.set_anchor("NW")
            place.set_axis_off()
        # A title may be a file's name: dollar signs in it are no formula.
        places[0].set_title(row.title, loc="left", fontsize=9, color=_INK, parse_math=False)
    for place, name in zip(axes[0], columns, strict=True):
        # Not a second title: the titles of one picture share their height.
        place.annotate(
            name,
            (0.5, 1),
            (0, 26),
            "axes fraction",
            "offset points",
            ha="center",
            fontsize=11,
            weight="bold",
            color=_INK,
        )
    if legend:
        _add_legend(figure)
    with writing(path), atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def _add_legend(figure: Any) -> None:
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=_INK, linewidth=0.4, label=NAMES[kind])
            for kind, colour in COLOURS.items()
        ],
        loc="outside lower right",
        ncols=len(COLOURS),
        fontsize=9,
        frameon=False,
        labelcolor=_INK,
    )
