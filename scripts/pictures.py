"""What is to be seen on each picture: functions that are given an empty viewer and fill it."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import napari
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QScrollArea
from staging import (
    make_dataset,
    open_menu,
    open_workbench,
    settle,
    wait_for_plots,
    wait_until,
)

TRAINING_MINUTES = 1.0  # few images are learned by heart in more


def menu(viewer: napari.Viewer) -> None:
    """Show where the widgets are found."""
    open_menu(viewer, "Plugins", "Vein segmentation", "Segment")


def open_sample(viewer: napari.Viewer) -> None:
    """Show where the sample data are found."""
    viewer.open_sample("napari-veinseg", "finger")
    open_menu(viewer, "File", "Open Sample", "Vein segmentation", "Finger with its veins")


def segment(viewer: napari.Viewer) -> None:
    """Show the Segment widget and what one press of its button gives."""
    from napari_veinseg.data.sample_data import sample_finger

    viewer.add_image(sample_finger().image, name="finger")
    widget = open_workbench(viewer, "Segment").segment
    widget.segment.click()
    wait_until(lambda: not widget.job.running)


def correct(viewer: napari.Viewer) -> None:
    """Show a vein being traced that the mask lacks."""
    import numpy as np

    from napari_veinseg.correction.branches import remove_branch
    from napari_veinseg.data.sample_data import sample_finger
    from napari_veinseg.measurement.skeleton import centreline, trace
    from napari_veinseg.widgets.masks.layers import add_mask_layer

    finger = sample_finger()
    vein = max(trace(centreline(finger.mask)).branches, key=lambda branch: len(branch.path)).path
    lacking = remove_branch(finger.mask, tuple(vein[len(vein) // 2])).applied_to(finger.mask)
    add_mask_layer(viewer, lacking, viewer.add_image(finger.image, name="finger"))
    widget = open_workbench(viewer, "Correct").correct
    tool = widget.toolbox.tools[0]
    widget.toolbox.use(tool)
    wait_until(lambda: widget.tracing.find(()) is not None)
    viewer.reset_view(margin=0.02)
    for part in (0.05, 0.5):
        tool.click(tuple(vein[int(part * len(vein))].astype(float)), straight=False)
    tool.move(tuple(np.array(vein[int(0.9 * len(vein))], float)))


def measure(viewer: napari.Viewer) -> None:
    """Show a measured mask."""
    from napari_veinseg.data.sample_data import sample_finger
    from napari_veinseg.widgets.masks.layers import add_mask_layer

    finger = sample_finger()
    image = viewer.add_image(finger.image, name="finger", scale=(0.1, 0.1), units=("mm", "mm"))
    add_mask_layer(viewer, finger.mask, image).opacity = 0.4
    widget = open_workbench(viewer, "Evaluate").evaluate
    widget.measure.click()
    wait_until(lambda: not widget.job.running)


def evaluate(viewer: napari.Viewer) -> None:
    """Show models judged on a dataset, and the image with the worst mask."""
    with TemporaryDirectory() as folder:
        make_dataset(Path(folder) / "synthetic fingers")
        widget = open_workbench(viewer, "Evaluate").evaluate
        judge = widget.on_dataset
        judge.dataset.setText(str(Path(folder) / "synthetic fingers"))
        judge.fingers.pattern.setText(r"^(.+)_\d+$")
        judge.fingers.by_name.setChecked(True)
        judge.baselines.setChecked(True)
        judge.evaluate.click()
        wait_until(lambda: not judge.job.running)
        wait_for_plots(judge)
        judge.images.sortItems(2, Qt.SortOrder.DescendingOrder)
        judge.images.cellClicked.emit(1, 0)
        wait_until(lambda: not judge.job.running)
        scroll = widget.findChild(QScrollArea)
        settle()
        scroll.ensureWidgetVisible(judge.results, 0, 0)
        scroll.verticalScrollBar().setValue(judge.results.mapTo(scroll.widget(), QPoint(0, 0)).y())


def train(viewer: napari.Viewer) -> None:
    """Show a finished training with its curves, and the old model against the new one."""
    from napari_veinseg.data.dataset import Dataset
    from napari_veinseg.widgets.masks.layers import add_mask_layer

    with TemporaryDirectory() as folder:
        make_dataset(Path(folder) / "my fingers")
        sample = Dataset.open(Path(folder) / "my fingers").samples[0]
        add_mask_layer(viewer, sample.mask(), viewer.add_image(sample.image(), name="finger 0"))
        widget = open_workbench(viewer, "Train").train
        widget.dataset.folder.setText(str(Path(folder) / "my fingers"))
        widget.dataset.names.pattern.setText(r"^(.+)_\d+$")
        widget.dataset.names.by_name.setChecked(True)
        wait_until(lambda: "vein pixels" in widget.dataset.summary.text())
        widget.minutes.setValue(TRAINING_MINUTES)
        widget.start.click()
        wait_until(lambda: not widget.follower.running)
        # The temporary folder's name would stand in the picture.
        widget.dataset.folder.setText("my fingers")
        settle()
        scroll = widget.findChild(QScrollArea)
        scroll.verticalScrollBar().setValue(scroll.verticalScrollBar().maximum())


PICTURES: dict[str, Callable[[napari.Viewer], None]] = {
    "menu": menu,
    "open": open_sample,
    "segment": segment,
    "correct": correct,
    "train": train,
    "evaluate": evaluate,
    "measure": measure,
}
