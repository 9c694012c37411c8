"""Measure a mask layer: centreline, ends and bifurcations as layers, tables as CSV files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import napari
import numpy as np
import numpy.typing as npt
import pandas as pd
from napari.layers import Labels, Points, Shapes

from napari_veinseg.data.csv_tables import TableRow
from napari_veinseg.measurement.measure import measure
from napari_veinseg.measurement.tables import branch_rows, image_row, write_tables
from napari_veinseg.widgets.common.canvas import spare_empty
from napari_veinseg.widgets.common.jobs import Reporter, Step
from napari_veinseg.widgets.common.warm_up import prepare_lines
from napari_veinseg.widgets.masks.layer_metadata import Derived, derived_metadata, is_derived
from napari_veinseg.widgets.masks.layer_placement import PixelSize
from napari_veinseg.widgets.masks.layers import in_stack, insert_inactive, spatial_attributes

END_COLOUR = "#ffc233"
BIFURCATION_COLOUR = "#ff4b7d"
LINE_COLOUR = "#f2f2f2"


@dataclass(frozen=True)
class MeasuredLayer:
    """A measured mask, ready to be shown and saved."""

    paths: Sequence[npt.NDArray[np.float64]]
    points: npt.NDArray[np.float64]
    kinds: Sequence[str]
    branches: list[TableRow]
    images: list[TableRow]
    unit: str


def measure_mask(mask: npt.NDArray[np.uint8], size: PixelSize, reporter: Reporter) -> MeasuredLayer:
    """Measure a mask or each slice of a stack; runs in a worker."""
    prepare_lines(reporter)
    paths, points, kinds = [], [], []
    branches: list[TableRow] = []
    images: list[TableRow] = []
    planes = mask if mask.ndim == 3 else mask[np.newaxis]
    for number, plane in enumerate(planes):
        reporter.tell(Step(number, len(planes), "Measuring"))
        place: TableRow = {"slice": number} if mask.ndim == 3 else {}
        at = (number,) * (mask.ndim - 2)
        measured = measure(plane, size.spacing)
        rows = list(branch_rows(measured, size.unit))
        whole = image_row(measured, size.unit)
        if size.unit != "px" and np.isclose(*size.spacing):  # else px have no length
            in_px = measure(plane)
            rows = [a | b for a, b in zip(branch_rows(in_px), rows, strict=True)]
            whole = image_row(in_px) | whole
        branches += [place | row for row in rows]
        images.append(place | whole)
        paths += [in_stack(branch.path, at) for branch in measured.skeleton.branches]
        for kind, found in (
            ("end", measured.skeleton.ends),
            ("bifurcation", measured.skeleton.bifurcations),
        ):
            points.append(in_stack(found, at))
            kinds += [kind] * len(found)
    return MeasuredLayer(paths, np.concatenate(points), kinds, branches, images, size.unit)


def show_measurement(
    viewer: napari.Viewer, mask: Labels, measured: MeasuredLayer
) -> Iterator[None]:
    """Put centrelines and points over a mask, in place of earlier ones, layer by layer."""
    names = f"{mask.name} centreline", f"{mask.name} nodes"
    for layer in [each for each in viewer.layers if is_derived(each, Derived.MEASUREMENT)]:
        if layer.name in names:
            viewer.layers.remove(layer)
            yield
    common = {**spatial_attributes(mask), "metadata": derived_metadata(Derived.MEASUREMENT)}
    points = Points(
        measured.points,
        ndim=mask.ndim,
        name=names[1],
        features=pd.DataFrame({"kind": pd.Categorical(measured.kinds, ["end", "bifurcation"])}),
        face_color="kind",
        face_color_cycle=[END_COLOUR, BIFURCATION_COLOUR],
        size=5,
        border_width=0.1,
        border_color="black",
        **common,
    )
    insert_inactive(viewer, len(viewer.layers), points)
    spare_empty(viewer, points)
    points.editable = False  # a key or a drag would change what was measured
    yield
    lines = Shapes(
        list(measured.paths) or None,
        ndim=mask.ndim,
        shape_type="path",
        name=names[0],
        features=pd.DataFrame(measured.branches),
        edge_color=LINE_COLOUR,
        edge_width=1,
        face_color="transparent",
        **common,
    )
    insert_inactive(viewer, len(viewer.layers), lines)
    spare_empty(viewer, lines)
    lines.editable = False
    yield
    if mask in viewer.layers:  # over lines, napari's keys would take the place of the workbench's
        viewer.layers.selection.active = mask


def measured_lines(viewer: napari.Viewer) -> Shapes | None:
    """Return the layer of the latest measurement whose features are the table of branches."""
    layers = [each for each in viewer.layers if is_derived(each, Derived.MEASUREMENT)]
    return next((each for each in reversed(layers) if isinstance(each, Shapes)), None)


def summary_of(measured: MeasuredLayer) -> list[tuple[str, str]]:
    """Give the figures of all slices for the dock."""
    unit = measured.unit

    def total(name: str) -> float:
        return float(sum(float(row[name]) for row in measured.images))

    widths = [float(row[f"median_width_{unit}"]) for row in measured.images]
    known = [width for width in widths if np.isfinite(width)]
    share = total("vein_area_share") / len(measured.images)
    return [
        ("Vein area", f"{100 * share:.1f} %"),
        ("Total length", f"{total(f'total_length_{unit}'):.4g} {unit}"),
        ("Median width", f"{np.median(known):.3g} {unit}" if known else "no vein"),
        ("Branches", f"{total('branches'):.0f}"),
        ("Bifurcations", f"{total('bifurcations'):.0f}"),
        ("Ends", f"{total('ends'):.0f}"),
    ]


def save_tables(measured: MeasuredLayer, name: str, folder: Path) -> None:
    """Write `branches.csv` and `images.csv`."""
    first: TableRow = {"mask": name}
    branches = [first | row for row in measured.branches]
    write_tables(folder, branches, [first | row for row in measured.images], measured.unit)
