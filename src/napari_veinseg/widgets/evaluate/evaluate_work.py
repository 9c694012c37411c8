"""What the Evaluate widget does in its worker: masks and models held against truths."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Pair, Sample, read_sound_pair
from napari_veinseg.evaluation.comparison import Comparison, compare
from napari_veinseg.evaluation.contenders import Contender, gather_contenders
from napari_veinseg.evaluation.error_map import agreement
from napari_veinseg.evaluation.metrics import mean_of_slices
from napari_veinseg.evaluation.report.write_report import (
    REPORT_PAGE,
    refuse_output_in,
    write_report,
)
from napari_veinseg.evaluation.selection import select
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.jobs import Reporter, Step


@dataclass(frozen=True)
class DatasetTask:
    """What was asked for when Evaluate was pressed."""

    dataset: Path
    models: Sequence[Path]
    masks: Sequence[Path]
    baselines: bool
    everything: bool
    finger_pattern: str | None
    settings: SegmentationSettings


@dataclass(frozen=True)
class OpenedImage:
    """An image of the dataset with what a contender says of it."""

    pair: Pair
    model: str
    prediction: npt.NDArray[np.uint8]


def evaluate_dataset(task: DatasetTask, reporter: Reporter) -> Comparison:
    """Compare models on a dataset."""
    chosen = select(Dataset.open(task.dataset, task.finger_pattern), task.everything)
    contenders = gather_contenders(
        [str(path) for path in task.models],
        task.masks,
        task.baselines,
        settings=task.settings,
        load=lambda path: engine.load_model(Path(path), reporter),
    )

    def progress(done: int, total: int, stem: str) -> None:
        reporter.tell(Step(done, total, f"Evaluating {stem}"))

    return compare(chosen, contenders, progress=progress)


def open_image(sample: Sample, contender: Contender, reporter: Reporter) -> OpenedImage:
    """Read an image of a dataset and predict it again."""
    reporter.tell(Step(0, 0, f"Opening {sample.stem}"))
    pair = read_sound_pair(sample)
    return OpenedImage(pair, contender.name, contender.predict(sample, pair.image).mask)


def compare_masks(
    prediction: npt.NDArray[Any], truth: npt.NDArray[Any], tolerance: float, reporter: Reporter
) -> tuple[dict[str, float], npt.NDArray[np.uint8]]:
    """Hold a mask against a truth."""
    reporter.tell(Step(0, 0, "Comparing"))
    scores = mean_of_slices(prediction, truth, tolerance)
    return scores, agreement(prediction, truth)


def save_report(comparison: Comparison, dataset: Path, folder: Path, reporter: Reporter) -> Path:
    """Write `report.html`, `summary.json` and `per_image.csv`."""
    reporter.tell(Step(0, 0, "Writing the report"))
    refuse_output_in(dataset, folder)
    write_report(comparison, dataset.resolve().name, folder)
    return folder / REPORT_PAGE
