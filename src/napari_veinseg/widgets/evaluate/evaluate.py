"""The Evaluate widget: measure a mask, hold it against a truth, judge models on a dataset."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Labels
from qtpy.QtWidgets import QDoubleSpinBox, QFileDialog

from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.metrics import TOLERANCE
from napari_veinseg.evaluation.report.tables import METRIC_NAMES
from napari_veinseg.measurement.tables import BRANCHES, IMAGES
from napari_veinseg.widgets.common.asking import may_replace
from napari_veinseg.widgets.common.choices import LayerChoice
from napari_veinseg.widgets.common.form import Hint, Section, button, clock
from napari_veinseg.widgets.common.jobs import Job, Step
from napari_veinseg.widgets.common.notify import reported, show_info
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.common.result_views import FigureTable
from napari_veinseg.widgets.evaluate.dataset_evaluation import DatasetEvaluation
from napari_veinseg.widgets.evaluate.evaluate_work import compare_masks
from napari_veinseg.widgets.evaluate.measuring import (
    MeasuredLayer,
    measure_mask,
    measured_lines,
    save_tables,
    show_measurement,
    summary_of,
)
from napari_veinseg.widgets.evaluate.repeated_shots import RepeatedShots
from napari_veinseg.widgets.masks.error_layer import (
    ErrorLegend,
    add_agreement_layer,
    is_agreement_layer,
)
from napari_veinseg.widgets.masks.layer_placement import PixelSize, require_same_place
from napari_veinseg.widgets.masks.layers import mask_pixels, mask_stem

_SHOWN = (
    *("vein_iou", "dice", "precision", "recall"),
    *("cldice", "centreline_precision", "centreline_recall", "hausdorff_95_px"),
    *("missed_length_px", "too_much_length_px", "corrections", "two_class_mean_iou"),
)


class EvaluateWidget(Panel):
    """Measure a mask, compare it with a truth, or compare models on a dataset."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.job = Job("Measuring", self)
        self.measured: tuple[str, MeasuredLayer] | None = None
        self._add_measure_section()
        self._add_truth_section()
        self.on_dataset = DatasetEvaluation(self.viewer)
        self.add(self.on_dataset)
        self.focus.pair(self.on_dataset.evaluate, self.on_dataset.cancel)
        self.on_dataset.shown.connect(lambda: self.reveal(self.on_dataset.results))
        self.repeated_shots = RepeatedShots()
        self.add(self.repeated_shots)
        self.repeated_shots.shown.connect(lambda: self.reveal(self.repeated_shots.table))
        self.add_footer(self.on_dataset.foot)
        self.closing.connect(self.repeated_shots.job.abandon)
        self.closing.connect(self.job.abandon)
        self.closing.connect(self.on_dataset.job.abandon)
        self.job.changed.connect(self._show_state)
        self.mask.layer_changed.connect(self._show_state)
        self.truth.layer_changed.connect(self._show_state)
        self._show_state()

    def _mask_choice(self, empty: str, *, follows: bool) -> LayerChoice:
        return LayerChoice(
            self.viewer,
            Labels,
            accepts=lambda layer: layer.ndim in (2, 3) and not is_agreement_layer(layer),
            empty=empty,
            follows=follows,
        )

    def _add_measure_section(self) -> None:
        section = self.add_section("Measure a mask")
        self.mask = self._mask_choice("Segment an image first", follows=True)
        self.measure = button(
            "&Measure", "Find centreline, branches and bifurcations, and measure them."
        )
        self.figures = FigureTable("Measurements", ["", ""], 6)
        self.table = button("Show the branches", "Open napari's table of the branches.")
        self.save = button("Save tables…", "Write branches.csv and images.csv.")
        section.add_row("Mask", self.mask, "The labels that are measured: 1 is vein, 2 unsure.")
        section.add_wide(self.measure)
        self.measuring, self.measured_what = Hint(), Hint()
        section.add_wide(self.measuring)
        section.add_wide(self.measured_what)
        section.add_wide(
            self.figures,
            "In the layer's unit where it has one; of a stack the sum of its slices, "
            "the mean share and the median width.",
        )
        section.add_buttons(self.table, self.save)
        self.measure.clicked.connect(self._measure)
        self.table.clicked.connect(self._show_table)
        self.save.clicked.connect(self._save)

    def _add_truth_section(self) -> None:
        section: Section = self.add_section("Hold it against a truth")
        self.truth = self._mask_choice("Open a second mask", follows=False)
        self.truth_needed = Hint(
            "This needs a second mask as the truth: drop a mask file onto the viewer, or duplicate "
            "the mask above and correct the copy."
        )
        self.tolerance = QDoubleSpinBox(maximum=100, value=TOLERANCE, suffix=" px")
        self.compare = button("C&ompare", "Score the mask above, and show where it is wrong.")
        self.scores = FigureTable("Scores", ["", ""], 9)
        section.add_row("Truth", self.truth, "The labels that are taken as right.")
        section.add_row(
            "Tolerance",
            self.tolerance,
            "How far a centreline may lie beside the true one, in pixels.",
        )
        section.add_wide(self.truth_needed)
        section.add_wide(self.compare)
        self.compared_what, self.legend = Hint(), ErrorLegend()
        section.add_wide(self.compared_what)
        section.add_wide(self.legend)
        section.add_wide(self.scores, "The mask's scores; of a stack, the mean of its slices.")
        self.compare.clicked.connect(self._compare)

    def _show_state(self) -> None:
        self.truth.choose_other_than(self.mask.layer)
        idle = not self.job.running
        self.measure.setEnabled(idle and self.mask.layer is not None)
        two = self.truth.layer is not None and self.truth.layer is not self.mask.layer
        self.compare.setEnabled(idle and self.mask.layer is not None and two)
        self.truth_needed.setVisible(self.mask.layer is not None and not two)
        self.measuring.setVisible(self.job.running)
        if idle:
            self.measuring.clear()
        for part in (self.measured_what, self.figures, self.table, self.save):
            part.setVisible(self.measured is not None)
        for part in (self.compared_what, self.legend, self.scores):
            part.setVisible(bool(self.compared_what.text()))

    # Measure.

    def _measure(self) -> None:
        with reported("Measuring", self):
            layer = self.mask.layer
            work = partial(measure_mask, mask_pixels(layer), PixelSize.of(layer))
            self.job.start(work, partial(self._show_measured, layer), self._hear)

    def _hear(self, news: object) -> None:
        """Say what takes long: the first measurement prepares the display, for many seconds."""
        if isinstance(news, Step):
            self.measuring.setText(f"{news.text.rstrip('…')}…")

    def _show_measured(self, layer: Labels, measured: MeasuredLayer) -> Iterator[None]:
        if layer not in self.viewer.layers:
            return
        yield from show_measurement(self.viewer, layer, measured)
        self.mask.choose(layer)
        self.measured = (mask_stem(layer), measured)
        self.measured_what.setText(f"'{layer.name}' at {clock()}:")
        self.figures.fill(summary_of(measured))

    def _show_table(self) -> None:
        with reported("Opening the table", self):
            lines = measured_lines(self.viewer)
            if lines is None:
                raise VeinSegError("The measured mask has left the viewer: measure again.")
            self.viewer.layers.selection.active = lines  # whose features the table shows
            self.viewer.window.add_plugin_dock_widget("napari", "Features table widget")

    def _save(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the tables")
        folder = Path(chosen)
        if chosen and self.measured is not None:
            with reported("Saving the tables", self):
                if may_replace(self, [folder / name for name in (BRANCHES, IMAGES)]):
                    name, measured = self.measured
                    save_tables(measured, name, folder)
                    show_info(f"The tables are in {folder}.")

    # Compare.

    def _compare(self) -> None:
        with reported("Comparing", self):
            mask, truth = self.mask.layer, self.truth.layer
            if mask.data.shape == truth.data.shape:  # other shapes are refused in the work
                require_same_place(mask, truth)
            pixels, tolerance = (mask_pixels(mask), mask_pixels(truth)), self.tolerance.value()
            work = partial(compare_masks, *pixels, tolerance)
            self.job.start(work, partial(self._show_compared, mask, truth.name), self._hear)

    def _show_compared(
        self, mask: Labels, truth: str, compared: tuple[dict[str, float], npt.NDArray[np.uint8]]
    ) -> None:
        if mask not in self.viewer.layers:
            return
        scores, errors = compared
        add_agreement_layer(self.viewer, errors, mask, f"{mask.name} agreement")
        self.scores.fill([(METRIC_NAMES[name], scores[name]) for name in _SHOWN])
        self.compared_what.setText(f"'{mask.name}' against '{truth}' at {clock()}:")
