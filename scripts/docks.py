"""Draw all four tabs of the workbench, in both themes, to be looked at: `scripts/docks.py FOLDER`.

Each is as wide as it opens, filled as it is after use, and as long as its contents.  For a screen
of twice the sharpness set QT_SCALE_FACTOR=2.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPixmap
from qtpy.QtWidgets import QScrollArea
from staging import make_dataset, settle, wait_for_plots, wait_until

from napari_veinseg.data.sample_data import sample_stack
from napari_veinseg.segmentation.runtimes.devices import DeviceChoice
from napari_veinseg.training.events import RunStatus
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer

WIDTH = 380
REASON = "this build of torch knows no GPU; see pytorch.org for one that does"


def fill(widgets: dict[str, Any], folder: Path) -> None:
    """Bring the docks into the state that they have after use, without a network."""
    train, evaluate = widgets["Train"], widgets["Evaluate"]
    train.dataset.folder.setText(str(folder))
    train.dataset.names.by_name.setChecked(True)
    train.follower.run = train  # any: a widget without a run hides its curves
    status = RunStatus()
    for event in example_run():
        status.hear(event)
    train.follower.status = status
    train._show_run()
    train._show_state()
    train.comparison.show_result(status, "starter", {})
    train.comparison.show()
    evaluate.measure.click()
    wait_until(lambda: not evaluate.job.running)
    evaluate.compare.click()
    judge = evaluate.on_dataset
    judge.dataset.setText(str(folder))
    judge.baselines.setChecked(True)
    judge.models.item(0).setCheckState(Qt.CheckState.Unchecked)
    judge.evaluate.click()
    jobs = (train.job, judge.job, evaluate.job)
    wait_until(lambda: not any(job.running for job in jobs))
    wait_for_plots(judge)


def example_run() -> list[dict[str, Any]]:
    """Return the events of a run, so that its curves can be looked at without training."""
    names = [f"left index finger {number:02}_1" for number in range(9)]
    scores = [0.43 + 0.1 * (1 - 0.7**epoch) for epoch in range(13)]
    start = {"event": "start", "device": "CPU", "reason": REASON, "optimistic": True}
    losses = [
        {"event": "epoch", "epoch": epoch, "loss": 0.7 * 0.9**epoch, "progress": epoch / 12}
        | {"seconds_left": 0.0}
        for epoch in range(1, 13)
    ]
    judged = [
        {"event": "validation", "epoch": epoch, "vein_iou": score}
        | {"per_image": {name: score + 0.01 * number for number, name in enumerate(names)}}
        for epoch, score in enumerate(scores)
    ]
    return [start, *losses, *judged]


def whole(panel: Panel) -> QPixmap:
    """Draw a dock's contents without scrolling, and its foot."""
    layout = panel.layout()
    parts = [layout.itemAt(place).widget() for place in range(layout.count())]
    drawn = [
        (part.widget() if isinstance(part, QScrollArea) else part).grab()
        for part in parts
        if not part.isHidden()
    ]
    sharpness = panel.devicePixelRatio()
    page = QPixmap(max(each.width() for each in drawn), sum(each.height() for each in drawn))
    page.fill(Qt.GlobalColor.transparent)  # beside what a scroll bar makes narrower
    painter = QPainter(page)
    top = 0
    for picture in drawn:
        painter.drawPixmap(0, top, picture.width(), picture.height(), picture)
        top += picture.height()
    painter.end()
    page.setDevicePixelRatio(sharpness)
    return page


def beside_each_other(pictures: list[QPixmap], colour: str) -> QPixmap:
    sharpness = pictures[0].devicePixelRatio()
    gap = round(12 * sharpness)
    width = sum(picture.width() + gap for picture in pictures)
    page = QPixmap(width, max(picture.height() for picture in pictures))
    page.fill(QColor(colour))
    painter = QPainter(page)
    left = 0
    for picture in pictures:
        painter.drawPixmap(left, 0, picture.width(), picture.height(), picture)
        left += picture.width() + gap
    painter.end()
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    engine._device = DeviceChoice("cpu", "CPU", REASON)  # torch is not needed to look
    viewer = napari.Viewer(show=True)
    stack = sample_stack()
    image = viewer.add_image(stack.image, name="five shots of a left index finger")
    mask = add_mask_layer(viewer, stack.mask, image)
    viewer.add_labels(np.roll(stack.mask, 3, axis=1), name="another annotator's mask")
    record_of(mask).probability = np.clip(stack.mask * 0.8 + 0.1, 0, 1).astype(np.float32)
    viewer.layers.selection.active = mask
    dock, workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")
    widgets = workbench.tabs.panels()
    window = viewer.window._qt_window
    dock.setFixedWidth(WIDTH)
    with TemporaryDirectory() as folder:
        make_dataset(Path(folder) / "left index fingers")
        fill(widgets, Path(folder) / "left index fingers")
        for theme in ("dark", "light"):
            viewer.theme = theme
            drawn = []
            for name, widget in widgets.items():
                workbench.tabs.show_tab(name)
                settle(0.3)
                drawn.append(whole(widget))
                window.grab().save(str(arguments.folder / f"{theme}_{name.lower()}.png"))
            page = beside_each_other(drawn, "black" if theme == "dark" else "white")
            page.save(str(arguments.folder / f"{theme}.png"))
            print(arguments.folder / f"{theme}.png")
    viewer.close()


if __name__ == "__main__":
    main()
