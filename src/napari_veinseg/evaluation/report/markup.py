"""Pieces of HTML: tables, numbers, pictures inside the page."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.report.plots import COLOURS

_WIDEST = 520  # px of a picture


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Build a table.

    Parameters
    ----------
    headings : sequence of str
        Text of the head, escaped here.
    rows : iterable of sequence of str
        Cells, each a `<td>`.

    Returns
    -------
    str
        HTML.
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def cell(text: str, css: str = "") -> str:
    """Build a cell of plain text.

    Parameters
    ----------
    text : str
        What it says, escaped here.
    css : str
        Its class.

    Returns
    -------
    str
        HTML.
    """
    return f'<td class="{css}">{escape(text)}</td>'


def name_cell(name: str, number: int) -> str:
    """Build the cell of a contender, with the colour it has in the plots.

    Parameters
    ----------
    name : str
        Its name.
    number : int
        Its place, from 0.

    Returns
    -------
    str
        HTML.
    """
    colour = COLOURS[number % len(COLOURS)]
    return f'<td><span class="swatch" style="background:{colour}"></span>{escape(name)}</td>'


def estimate_cell(estimate: Estimate | None, css: str = "", *, signed: bool = False) -> str:
    """Build a cell of a figure over its interval.

    Parameters
    ----------
    estimate : Estimate or None
        The figure; None leaves the cell empty.
    css : str
        Its class.
    signed : bool
        Whether positive numbers get a plus.

    Returns
    -------
    str
        HTML.
    """
    if estimate is None:
        return "<td></td>"
    value, low, high = (
        number(each, signed=signed) for each in (estimate.value, estimate.low, estimate.high)
    )
    between = " to " if signed else "\N{EN DASH}"
    return f'<td class="{css}">{value}<span class="interval">{low}{between}{high}</span></td>'


def number(value: float | None, *, signed: bool = False) -> str:
    """Write a figure: three digits behind the point, one from 10 on.

    Parameters
    ----------
    value : float or None
        The figure; None gives an empty text.
    signed : bool
        Whether positive numbers get a plus.

    Returns
    -------
    str
        Plain text.
    """
    if value is None:
        return ""
    text = f"{value:{'+' if signed else ''}.{1 if abs(value) >= 10 else 3}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def picture(pixels: NDArray[Any], caption: str, *, smooth: bool) -> str:
    """Put a picture into the page.

    Parameters
    ----------
    pixels : NDArray
        Grey `(Y, X)` of any range, or `uint8` `(Y, X, 3)`.
    caption : str
        What stands below it.
    smooth : bool
        Whether it may be averaged when it is made smaller (masks may not).

    Returns
    -------
    str
        HTML.
    """
    image = Image.fromarray(pixels if pixels.ndim == 3 else _grey(pixels))
    if image.width > _WIDEST:
        size = (_WIDEST, max(1, round(image.height * _WIDEST / image.width)))
        image = image.resize(size, Image.Resampling.LANCZOS if smooth else Image.Resampling.BOX)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _grey(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = np.nanpercentile(pixels, (0.5, 99.5))
    scaled = (np.nan_to_num(pixels, nan=low) - low) / max(high - low, 1e-12)
    grey: NDArray[np.uint8] = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return grey
