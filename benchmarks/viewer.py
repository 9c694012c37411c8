"""Is the viewer fluid?  Measured in a real one, beside itself at rest.

    scripts/with-display python benchmarks/viewer.py [--seconds 20] [--json] [--first [--again]]
        [--side 512] [--images FOLDER]

How late a 10 ms timer of the viewer's thread comes at worst, at rest, while the Segment widget
segments (torch is loaded before), while a training that the Train widget started runs and while a
model learns beside the person; with `--first` only how late it comes at the first region and its
dragging, the first mask, the first measurement and the second, in a home in which nothing was
compiled yet, and then while a folder is opened, gone through, reviewed and evaluated, with what the
viewer's thread computed, which other programs don't disturb (`--again`: in a home in which all of
it was done once before, so that the drivers of the screen have kept their programs, too;
`--images`: with the first five of that folder instead of synthetic images of `--side`); how long
a move of the threshold slider takes until the mask is drawn; how long the Segment widget takes to
open.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.synthesis import synthetic_field, synthetic_finger
from napari_veinseg.training import run_folder as run_module
from napari_veinseg.widgets.workbench.workbench import Workbench

_TICK = 10  # ms
_MOVES = 15  # of the slider
_FRESH = "VEINSEG_BENCHMARK_FRESH"


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the viewer did not get there in time")
        QApplication.processEvents()
        time.sleep(0.001)


class Latecomer:
    """The worst delay of a timer while something goes on, and what the thread computed, in ms."""

    def __enter__(self) -> "Latecomer":
        self.worst, self._last = 0.0, time.perf_counter()
        self.computed, self._spent = 0.0, time.thread_time()
        self._timer = QTimer()
        self._timer.setInterval(_TICK)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        return self

    def _tick(self) -> None:
        now, spent = time.perf_counter(), time.thread_time()
        self.worst = max(self.worst, 1000 * (now - self._last) - _TICK)
        self.computed = max(self.computed, 1000 * (spent - self._spent))
        self._last, self._spent = now, spent

    def __exit__(self, *_: object) -> None:
        self._timer.stop()


def at_rest(seconds: float) -> float:
    end = time.monotonic() + seconds
    with Latecomer() as late:
        wait_until(lambda: time.monotonic() > end)
    return late.worst


def opening(viewer: napari.Viewer, name: str) -> tuple[Any, float]:
    begin = time.perf_counter()
    _, workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", name)
    QApplication.processEvents()
    widget = workbench.tabs.panels()[name]
    return widget, time.perf_counter() - begin


def until_drawn(seconds: float = 1) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end)


def segmenting(widget: Any) -> Latecomer:
    with Latecomer() as late:
        widget.segment.click()
        wait_until(lambda: not widget.job.running)
        until_drawn()
    return late


def measuring(workbench: Workbench) -> Latecomer:
    evaluate = workbench.evaluate
    with Latecomer() as late:
        evaluate.measure.click()
        wait_until(lambda: not evaluate.job.running)
        until_drawn()
    return late


def drawing_a_region(workbench: Workbench) -> Latecomer:
    with Latecomer() as late:
        workbench.segment.region.rectangle.click()
        wait_until(lambda: workbench.segment.region.told.text().startswith("Drag"))
        until_drawn()
    return late


def dragging_it(viewer: napari.Viewer) -> Latecomer:
    canvas, left = viewer.window._qt_viewer.canvas.native, Qt.MouseButton.LeftButton
    with Latecomer() as late:
        QTest.mousePress(canvas, left, pos=QPoint(200, 200))
        for way in range(20, 140, 20):
            until_drawn(0.05)
            QTest.mouseMove(canvas, QPoint(200 + way, 200 + way))
        QTest.mouseRelease(canvas, left, pos=QPoint(320, 320))
        until_drawn()
    return late


def first_times(side: int, images: Path | None) -> dict[str, float]:
    """Do things for the first time in this process."""
    viewer = napari.Viewer()
    figures = {}
    widget, figures["widget_open_s"] = opening(viewer, "Segment")
    workbench = widget.window().findChild(Workbench)
    files = sorted(images.iterdir()) if images is not None else []
    viewer.add_image(read_image(files[0]) if files else synthetic_field(0, (side, side)).image)
    until_drawn()  # the viewer's own first image
    did = {"first_region": drawing_a_region(workbench), "region_dragged": dragging_it(viewer)}
    did |= {"first_mask": segmenting(widget)}
    workbench.tabs.show_tab("Evaluate")
    did |= {"first_measure": measuring(workbench), "second_measure": measuring(workbench)}
    figures |= delays(did)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(5):
            if files:
                shutil.copy(files[number], folder)
            else:
                write_image(folder / f"{number}.tif", synthetic_field(number, (side, side)).image)
        figures |= going_through(workbench, folder)
    viewer.close()
    return figures


def going_through(workbench: Workbench, folder: Path) -> dict[str, float]:
    """Open a folder, go to its next images, review one and evaluate."""
    session, judging = workbench.session, workbench.evaluate.on_dataset

    def ready() -> bool:
        shown = session.shown
        here = shown is not None and shown.mask is not None and not session.waiting
        return here and not session.working and session.index + 1 in session.ahead

    def doing(act: Callable[[], object], done: Callable[[], bool]) -> Latecomer:
        with Latecomer() as late:
            act()
            wait_until(done)
            until_drawn(0.7)
        return late

    did = {
        "open_folder": doing(lambda: session.open(folder), ready),
        "next_image": doing(lambda: session.where_to.step(1), ready),
        "review": doing(session.review, lambda: ready() and not session.queue.busy),
        "evaluate": doing(judging.evaluate.click, lambda: not judging.job.running),
        "open_row": doing(partial(judging.images.chosen.emit, 0), lambda: True),
        "close_folder": doing(session.close, lambda: not session.queue.busy),
        "open_again": doing(lambda: session.open(folder), ready),
    }
    return delays(did)


def delays(did: dict[str, Latecomer]) -> dict[str, float]:
    figures = {f"{name}_delay_ms": late.worst for name, late in did.items()}
    return figures | {f"{name}_computed_ms": late.computed for name, late in did.items()}


def in_a_fresh_home(again: bool) -> None:
    """Run `--first` where no program has ever run, or where it ran once."""
    with tempfile.TemporaryDirectory() as home:
        names = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "NUMBA_CACHE_DIR")
        fresh = {name: f"{home}/{name.lower()}" for name in names}
        fresh = {**os.environ, **fresh, _FRESH: "1"}
        if again:
            subprocess.run([sys.executable, *sys.argv], env=fresh, check=True, capture_output=True)
        subprocess.run([sys.executable, *sys.argv], env=fresh, check=True)


def sliding(side: int) -> float:
    viewer = napari.Viewer()
    widget, _ = opening(viewer, "Segment")
    viewer.add_image(synthetic_field(0, (side, side)).image)
    segmenting(widget)
    viewer.layers.selection.active = next(x for x in viewer.layers if isinstance(x, Labels))
    took = []
    for value in np.linspace(0.3, 0.7, _MOVES):
        QApplication.processEvents()
        begin = time.perf_counter()
        widget.mask.threshold.setValue(float(value))
        QApplication.processEvents()
        took.append(1000 * (time.perf_counter() - begin))
    viewer.close()
    return float(np.median(took))


def training(viewer: napari.Viewer, folder: Path, seconds: float) -> float:
    dataset = Dataset.create(folder / "set")
    for number in range(5):
        finger = synthetic_finger(number, shape=(240, 320))
        dataset.add(f"f{number}", finger.image, finger.mask, finger=f"f{number}")
    widget, _ = opening(viewer, "Train")
    widget.dataset.folder.setText(str(dataset.path))
    widget.dataset.folder.editingFinished.emit()
    wait_until(lambda: widget.start.isEnabled() and not widget.job.running)
    widget.minutes.setValue(max(0.5, seconds / 60))
    with Latecomer() as late:
        widget.start.click()
        wait_until(lambda: not widget.follower.running)
    return late.worst


def learning_beside(viewer: napari.Viewer, folder: Path, seconds: float) -> tuple[float, float]:
    """Look at an image while the child learns from two others, and while masks are made anew."""
    (folder / "arms").mkdir()
    for number in range(8):
        field = synthetic_field(number, (512, 512))
        write_image(folder / "arms" / f"{number}.tif", field.image)
    bench: Workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Correct")[1]
    session, learning = bench.session, bench.learning
    session.open(folder / "arms")

    def there(index: int) -> bool:
        return (
            session.shown is not None
            and session.index == index
            and not session.waiting
            and session.shown.mask is not None
            and not session.working
        )

    for index in range(2):
        wait_until(partial(there, index))
        session.review()
    learning.switch(True)
    wait_until(lambda: learning.known is not None and learning.known.status.pool > 0)
    learning.held = True  # no version is taken up before the second measurement
    wait_until(lambda: not session.ahead.running and not session.queue.busy)
    late = at_rest(seconds)
    with Latecomer() as later:
        session.ahead.renews_waiting = True
        bench.segment.vein_width.setValue(9)
        session.follow_model(renew_shown=False)
        wait_until(lambda: not session.ahead.running)
    learning.switch(False)
    wait_until(lambda: not learning.follower.running)
    return late, later.worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="of rest, and of training")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--first", action="store_true", help="first times in a fresh home")
    parser.add_argument("--side", type=int, default=512, help="of the images, with --first")
    parser.add_argument("--images", type=Path, help="a folder of images to use with --first")
    parser.add_argument("--again", action="store_true", help="with --first: where they were before")
    arguments = parser.parse_args()
    if arguments.first and _FRESH not in os.environ:
        in_a_fresh_home(arguments.again)
        return
    if arguments.first:
        figures = first_times(arguments.side, arguments.images)
    else:
        figures = all_figures(arguments.seconds)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:<24} {value:8.2f}")


def all_figures(seconds: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        run_module.runs_folder = lambda: Path(name) / "runs"
        viewer = napari.Viewer()
        figures["rest_delay_ms"] = at_rest(seconds)
        widget, figures["widget_open_s"] = opening(viewer, "Segment")
        viewer.add_image(synthetic_field(0, (512, 512)).image)
        figures["first_segment_delay_ms"] = segmenting(widget).worst  # imports torch in a worker
        figures["segment_delay_ms"] = segmenting(widget).worst
        for side in (512, 2048):
            figures[f"slider_ms_{side}"] = sliding(side)
        figures["training_delay_ms"] = training(viewer, Path(name), seconds)
        late, renewing = learning_beside(viewer, Path(name), seconds)
        figures |= {"learning_beside_delay_ms": late, "renewing_masks_delay_ms": renewing}
        viewer.close()
    return figures


if __name__ == "__main__":
    main()
