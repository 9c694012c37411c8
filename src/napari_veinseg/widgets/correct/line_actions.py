"""Veins as lines of a Shapes layer, and lines as veins."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels, Shapes
from numpy.typing import NDArray

from napari_veinseg.correction.lines import Line, lines_from_veins, veins_from_lines
from napari_veinseg.data.labels import VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.form import Section, button
from napari_veinseg.widgets.common.jobs import Reporter, Step
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.warm_up import lines_are_ready, prepare_lines
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex
from napari_veinseg.widgets.correct.mask_work import MaskWork
from napari_veinseg.widgets.correct.tracing_cache import TracingCache
from napari_veinseg.widgets.masks.layers import in_stack, spatial_attributes

_OWN_LINES = "veinseg lines"


class LineActions(Section):
    """Two buttons: veins to lines, lines to veins."""

    def __init__(
        self,
        edited_mask: EditedMask,
        tracing: TracingCache,
        work: MaskWork,
        fixed_width: Callable[[], float | None],
    ) -> None:
        super().__init__("")
        self._mask, self._tracing, self._work = edited_mask, tracing, work
        self._fixed_width = fixed_width
        to_lines = button(
            "Veins to lines",
            "Put the middles of the veins into a Shapes layer, where they can be edited.",
        )
        to_veins = button(
            "Lines to veins",
            "Draw the lines of the chosen Shapes layer as veins: lines that came from the mask "
            "replace its veins, others are added with the width set above.",
        )
        work.add_button(to_lines, self._find_lines)
        to_veins.clicked.connect(self._draw_lines)
        self.add_buttons(to_lines, to_veins)

    def _find_lines(self) -> None:
        layer, plane = self._mask.require_layer(), self._mask.displayed_plane()
        labels = self._mask.labels(plane).copy()

        def find(reporter: Reporter) -> list[Line]:
            prepare_lines(reporter)
            lines = lines_from_veins(labels)
            reporter.tell(Step(1, 1))  # it may be cancelled by now
            return lines

        job = self._work.job
        start = partial(job.do, labels.size) if lines_are_ready() else job.start
        start(find, lambda lines: self._show_lines(lines, layer, plane))

    def _show_lines(self, lines: list[Line], layer: Labels, plane: PlaneIndex) -> None:
        if not lines:
            raise VeinSegError(f"The mask '{layer.name}' has no veins here: draw some first.")
        shapes = Shapes(
            name=f"{layer.name} lines",
            ndim=layer.ndim,
            metadata={_OWN_LINES: True},
            **spatial_attributes(layer),
        )
        shapes.add_paths(
            [in_stack(line.points, plane) for line in lines],
            edge_width=[line.width for line in lines],
            edge_color="#ff4b7d",
        )
        shapes.opacity = 0.7
        self._mask.viewer.add_layer(shapes)
        shapes.mode = "direct"

    def _draw_lines(self) -> None:
        with reported("Lines to veins", self):
            layer, plane = self._mask.require_layer(), self._mask.displayed_plane()
            shapes = self._find_shapes()
            own = bool(shapes.metadata.get(_OWN_LINES))
            width = 0.0 if own else self._fixed_width() or self._tracing.vein_width(plane)
            lines = [
                Line(_find_positions(shapes, points, layer)[:, -2:], float(edge) if own else width)
                for points, kind, edge in zip(
                    shapes.data, shapes.shape_type, shapes.edge_width, strict=True
                )
                if kind in ("line", "path", "polyline") and _is_in(shapes, points, layer, plane)
            ]
            if not lines:
                raise VeinSegError(
                    f"The layer '{shapes.name}' has no lines on this slice: draw lines or paths."
                )
            labels = self._mask.labels(plane)
            empty = np.zeros_like(labels)
            drawn = veins_from_lines(empty, lines).applied_to(empty) == VEIN
            self._mask.write({plane: veins_from_lines(labels, lines, own)}, {plane: drawn})
            self._mask.viewer.layers.selection.active = layer

    def _find_shapes(self) -> Shapes:
        viewer = self._mask.viewer
        for layer in (viewer.layers.selection.active, *reversed(viewer.layers)):
            if isinstance(layer, Shapes):
                return layer
        raise VeinSegError("There is no Shapes layer: add one and draw lines on the veins.")


def _find_positions(shapes: Shapes, points: NDArray[Any], layer: Labels) -> NDArray[np.float64]:
    """Turn positions in a Shapes layer into positions in the mask."""
    return np.array([layer.world_to_data(shapes.data_to_world(point)) for point in points])


def _is_in(shapes: Shapes, points: NDArray[Any], layer: Labels, plane: PlaneIndex) -> bool:
    if shapes.ndim == 2 or not plane:  # lines without a slice belong to all of them
        return True
    slices = _find_positions(shapes, points, layer)[:, 0]
    return bool((np.rint(slices) == plane[0]).all())
