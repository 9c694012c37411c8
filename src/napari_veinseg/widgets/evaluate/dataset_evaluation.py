"""The part of the Evaluate widget that judges models on a dataset."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import napari
from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices, QShowEvent
from qtpy.QtWidgets import QCheckBox, QFileDialog, QWidget

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.comparison import Comparison
from napari_veinseg.evaluation.contenders import Contender
from napari_veinseg.evaluation.metrics import TOLERANCE
from napari_veinseg.evaluation.report import plots
from napari_veinseg.evaluation.report.write_report import REPORT_FILES
from napari_veinseg.evaluation.summary import summarise
from napari_veinseg.widgets.common.asking import may_replace
from napari_veinseg.widgets.common.collapsible import FoldedSentences
from napari_veinseg.widgets.common.finger_names import FingerNames
from napari_veinseg.widgets.common.form import Hint, Section, button, clock, column
from napari_veinseg.widgets.common.inputs import FolderField, ImageOptions
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import remember_done, reported, warn
from napari_veinseg.widgets.common.result_views import FigureTable, Plot
from napari_veinseg.widgets.evaluate.contender_list import ContenderList
from napari_veinseg.widgets.evaluate.evaluate_work import (
    DatasetTask,
    OpenedImage,
    evaluate_dataset,
    open_image,
    save_report,
)
from napari_veinseg.widgets.masks.error_layer import ErrorLegend
from napari_veinseg.widgets.masks.judged_image import JudgedImage
from napari_veinseg.wording import counted

_SUMMARY = ("vein_iou", "cldice", "centreline_recall")
_IOU = "IoU\nVein IoU: pixels that both call vein, of those that either does."
_CLDICE = "clDice\nAgreement of the centrelines; the width of a stroke hardly matters."
_SEEN = "*"  # short, for a long name must make room for it
_RECALL = (
    f"Centreline recall\nShare of the true centreline that was found, within {TOLERANCE:g} px."
)


class DatasetEvaluation(QWidget):
    """Choose a dataset and models, press Evaluate, look at the worst image first.

    Its foot has what is pressed next.
    """

    shown = Signal()
    """There are new results."""
    asked_for = Signal(str)
    """The opened image is to be corrected; carries its name in the dataset."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.job = Job("Evaluating", self)
        self.comparison: Comparison | None = None
        self._judged = Path()
        self._report = QUrl()
        self._rows: list[tuple[Contender, Sample]] = []
        self._opened = JudgedImage(viewer, self)
        self.can_correct: Callable[[str], bool] = lambda _stem: False  # where no folder is open
        column(self, self._make_form(), self._make_results(), spacing=10)
        self.foot = self._make_foot()
        self.job.changed.connect(self._show_state)
        self._show_state()

    def _make_form(self) -> Section:
        section = Section("Models on a dataset")
        self.dataset = FolderField(
            "Choose a dataset", "Choose the dataset's folder, with images/ and masks/."
        )
        self.models = ContenderList()
        self.add_masks = button(
            "Add a folder of masks…",
            "Compare masks that a second person or another program has made, named as the images.",
        )
        self.fingers = FingerNames(
            "Intervals then resample subjects, so tick this only if it is so. Unticked, those "
            "of samples.csv count."
        )
        self.baselines = QCheckBox("Classical baselines, too")
        self.everything = QCheckBox("Every sample, not only the hold-out")
        self.evaluate = button(
            "&Evaluate", "Score the ticked models on the dataset; nothing is written.", primary=True
        )
        self.cancel = button("Cancel", "Stop after the image that is in work.")
        self.status = Hint()
        self.dataset.add_to(
            section,
            "Dataset",
            "The folder with images/ and masks/ that is evaluated on; nothing is written there.",
        )
        section.add_row("Compare", self.models, "Tick the models and folders that are compared.")
        section.add_wide(self.add_masks)
        section.add_wide(self.fingers)
        self.options = ImageOptions(section, "What models and baselines take from colour images.")
        section.add_wide(
            self.baselines, "Maximum curvature and ridge filters, beside the models; slower."
        )
        section.add_wide(self.everything, "Images that a model was trained on are left out anyway.")
        self.add_masks.clicked.connect(self._add_masks)
        self.dataset.chosen.connect(self._show_names)
        self.evaluate.clicked.connect(self._evaluate)
        self.cancel.clicked.connect(self.job.cancel)
        return section

    def _make_results(self) -> Section:
        self.results = section = Section("Results")
        self.about, self.caveats = Hint(), Hint()
        self.more = FoldedSentences("More caveats", "Show what else weakens these figures.")
        self.summary = FigureTable("Means", ["Mean", _IOU, _CLDICE, _RECALL], 8)
        self.images = FigureTable("Images", ["Image", "By", _IOU, _CLDICE], 9, wide_columns=2)
        self.distribution, self.curve = Plot("Vein IoU"), Plot("Precision over recall")
        self.correct = button("Correct this image", "Go to the opened image in the folder.")
        self.correct.hide()
        self.save = button(
            "Save report…", "Write report.html, its figures as json and csv, its plots as svg."
        )
        self.open_report = button("Open report", "Show the saved report.html in the browser.")
        section.add_wide(self.about)
        section.add_wide(self.caveats)
        section.add_wide(
            self.summary,
            "Vein IoU, clDice and recall of the centreline, averaged over images; rest on a figure "
            "for its 95 % interval.",
        )
        section.add_wide(self.more)
        section.add_wide(
            self.images, "Click a heading to sort, and a row to open that image with its errors."
        )
        self.seen = Hint(f"{_SEEN} The model was trained on this image, which counts in no mean.")
        section.add_wide(self.seen)
        section.add_wide(Hint("A click on an image opens it with its errors:"))
        section.add_wide(ErrorLegend())
        section.add_wide(self.distribution, "Vein IoU of every image, a column for each contender.")
        section.add_wide(
            self.curve, "Precision over recall, the pixels of all images pooled, by contender."
        )
        section.hide()
        self.save.hide()
        self.open_report.hide()
        self.images.chosen.connect(self._open)
        self.correct.clicked.connect(lambda: self.asked_for.emit(self._opened.stem))
        self.save.clicked.connect(self._save)
        self.open_report.clicked.connect(self._open_report)
        return section

    def _make_foot(self) -> Section:
        foot = Section("")
        foot.add_wide(self.status)
        foot.add_buttons(self.save, self.open_report)
        foot.add_wide(self.correct)
        foot.add_buttons(self.evaluate, self.cancel)
        return foot

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Show the names of a dataset that has grown, or was chosen elsewhere."""
        super().showEvent(event)
        self._show_names()

    def _show_names(self) -> None:
        folder = self.dataset.path()
        there = folder is not None and (folder / "images").is_dir()
        with reported("Reading the dataset", self):
            stems = [each.stem for each in Dataset.open(folder)] if there and folder else []
            self.fingers.show_names(stems)

    # What is asked for.

    def _add_masks(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of masks", self.dataset.text())
        if folder:
            self.models.add_folder(Path(folder))

    def task(self) -> DatasetTask:
        """Return what the controls say."""
        folder = self.dataset.path()
        if folder is None:
            raise VeinSegError("Choose a dataset first: a folder with images/ and masks/.")
        models, masks = self.models.models(), self.models.folders()
        if not models and not masks and not self.baselines.isChecked():
            raise VeinSegError("Tick a model or the baselines: there is nothing to evaluate.")
        return DatasetTask(
            folder,
            models,
            masks,
            self.baselines.isChecked(),
            self.everything.isChecked(),
            self.fingers.finger_pattern(),
            self.options.settings(),
        )

    # What is done.

    def _evaluate(self) -> None:
        with reported("Evaluating", self):
            task = self.task()
            done = partial(self._show_judged, task.dataset)
            self.job.start(partial(evaluate_dataset, task), done, self._hear)

    def _hear(self, news: object) -> None:
        self.status.say(str(news))  # a step

    def _show_state(self) -> None:
        running = self.job.running
        self.evaluate.setEnabled(not running)
        self.save.setEnabled(not running)
        self.cancel.setVisible(running)
        if not running:
            saved = not self.open_report.isHidden()
            self.status.say(f"The report is {self._report.toLocalFile()}" if saved else "")

    def _show_judged(self, dataset: Path, comparison: Comparison) -> Iterator[None]:
        """Show what was scored, the worst images first, those of baselines last."""
        self._judged, self.comparison = dataset, comparison
        pairs = [(result, image) for result in comparison.results for image in result.images]
        pairs.sort(key=lambda p: (p[0].contender.kind == "baseline", p[1].metrics["vein_iou"]))
        self._rows = [(result.contender, image.sample) for result, image in pairs]
        self.images.fill(
            [
                (
                    f"{image.sample.stem} {_SEEN}" if image.seen else image.sample.stem,
                    result.contender.name,
                    image.metrics["vein_iou"],
                    image.metrics["cldice"],
                )
                for result, image in pairs
            ]
        )
        self.seen.setVisible(any(image.seen for _, image in pairs))
        self.summary.fill(
            [
                (each.name, *(each.mean_of_images[name] for name in _SUMMARY))
                for each in map(summarise, comparison.results)
                if each.images
            ]
        )
        yield
        models = ", ".join(result.contender.name for result in comparison.results)
        self.about.setText(f"{self._judged.name} by {models} at {clock()}")
        first, *more = caveats(comparison) or [""]  # what counts most leaves the tables in sight
        self.caveats.setText("\n\n".join(each for each in (comparison.note, first) if each))
        self.more.show_sentences(counted(len(more), "more caveat"), more)
        self.distribution.show_figure(partial(plots.iou_distribution, comparison.results))
        self.curve.show_figure(partial(plots.precision_recall, comparison.results))
        yield
        self.results.show()
        self.save.show()
        self.open_report.hide()  # it is of the figures before
        self.shown.emit()

    def _open(self, row: int) -> None:
        with reported("Opening the image", self):
            contender, sample = self._rows[row]
            self.job.start(partial(open_image, sample, contender), self._show_image, self._hear)

    def _show_image(self, opened: OpenedImage) -> None:
        """Put an image with truth, prediction and errors into the viewer, in place of the last."""
        self._opened.show(opened.pair, partial(self._show_errors, opened))
        self.correct.setVisible(self.can_correct(self._opened.stem))

    def _show_errors(self, opened: OpenedImage) -> Iterator[None]:
        self._opened.add_mask(opened.prediction, opened.model)
        yield
        self._viewer.layers.selection.active = self._opened.add_errors(
            opened.prediction, f"{opened.model} agreement"
        )

    def close_opened(self) -> bool:
        """Take what a click on a row has opened out of the viewer; say whether there was any."""
        self.correct.hide()
        return self._opened.close()

    def _save(self) -> None:
        beside = str(self._judged.resolve().parent)  # a report in a dataset is refused
        folder = QFileDialog.getExistingDirectory(self, "Folder for the report", beside)
        if not folder or self.comparison is None:
            return
        if may_replace(self, [Path(folder) / name for name in REPORT_FILES]):
            work = partial(save_report, self.comparison, self._judged, Path(folder))
            self.job.start(work, self._offer_report, self._hear)

    def _offer_report(self, page: Path) -> None:
        remember_done(f"The report is {page}")
        self._report = QUrl.fromLocalFile(str(page.resolve()))
        self.open_report.show()

    def _open_report(self) -> None:
        if not QDesktopServices.openUrl(self._report):
            page = self._report.toLocalFile()
            warn(f"No program here opens {page}: open it in a browser.", "Opening the report", self)
