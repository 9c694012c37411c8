"""What the workbench saves a person: `python benchmarks/workbench.py [--images 5] [--side 1024]`.

The task: open a folder; review five images, each with two veins added and one branch removed;
train; keep the model; see the next image segmented by it.  In the workbench it is done by real
mouse and key events in a real viewer, and those are counted; once by retraining, once by a model
that learns beside the person.  The docks before it are no more: what a hand did there is written
down click by click and key by key, so that anybody can check it.  Going to the next image is timed
(median, and the worst that the viewer's thread was held).
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
from qtpy.QtWidgets import QApplication
from viewer import Latecomer, wait_until

from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.synthesis import synthetic_field, synthetic_finger
from napari_veinseg.training import run_folder as run_module
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.workbench.workbench import Workbench

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.widgets.workbench.person import Person

MENU = 3  # clicks: menu, submenu, entry
# A vein: two clicks and Enter; each tool's key once an image; a click on the branch that goes.
CORRECTING = 2 * 3 + 2 + 1
DOCKS = {
    "open the docks Segment, Correct and Train (menu, submenu, entry)": 3 * MENU,
    "choose the dataset in Correct, and again in Train (button, folder, OK)": 2 * 3,
    "train: Start, Keep": 2,
    "segment the next image: open it (menu, entry, file, OK), choose it, Segment": 6,
}
DOCKS_EACH = {
    "open the image (menu, entry, file, OK)": 4,
    "hide or remove the layers of the image before (select two, press the bin)": 3,
    "Segment": 1,
    "choose the mask, and make it the active layer": 2,
    "Reviewed": 1,
    "correct": CORRECTING,
}


def in_docks(images: int) -> int:
    """Return the clicks and keys of the docks before."""
    return sum(DOCKS.values()) + images * sum(DOCKS_EACH.values())


def in_workbench(images: int, beside: bool) -> int:
    """Do the task, and return the clicks and keys that it took."""
    viewer = napari.Viewer()
    viewer.window.resize(1300, 800)
    bench: Workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")[1]
    person = Person(bench, wait_until)
    person.clicks += MENU
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "fingers"
        folder.mkdir()
        fingers = [synthetic_finger(9_000_000 + n, (160, 320)) for n in range(images + 1)]
        for number, finger in enumerate(fingers):
            write_image(folder / f"{number}.tif", finger.image)
        person.open_folder(folder)
        if beside:
            person.wait_for_image(0)
            person.press(bench.status.beside.switch)
        for number, finger in enumerate(fingers[:-1]):
            person.wait_for_image(number)
            person.correct(finger.mask)
            person.key("r")
        person.wait_for_image(images)
        if not beside:
            retrain(person, images)
        if beside:  # a version comes, or nothing is better than the starter on drawn fingers
            learning = bench.learning
            wait_until(lambda: bool(learning.known and learning.known.status.pool), 600)
            status = learning.known.status
            wait_until(lambda: bool(status.versions or status.idle), 1800)
        else:
            by_new = "my model "
            wait_until(lambda: record_of(bench.session.shown.mask).notes.model.startswith(by_new))
        viewer.close()
    return person.actions


def retrain(person: Any, images: int) -> None:
    train = person.bench.train
    wait_until(lambda: not person.bench.session.queue.busy)
    person.show_tab("Train")
    train.minutes.setValue(0.2)  # the benchmark's patience: not counted
    wait_until(lambda: f"{images} images" in train.dataset.summary.text())
    person.press(train.start)
    wait_until(lambda: not train.follower.running)
    wait_until(train.comparison.keep.isVisible)
    person.press(train.comparison.keep)


def going_on(side: int, images: int) -> tuple[list[float], float]:
    """Go through a folder with the next mask ready; seconds a step, and ms of lateness."""
    viewer = napari.Viewer()
    bench: Workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")[1]
    session, taken = bench.session, []
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "images"
        folder.mkdir()
        for number in range(images):
            write_image(folder / f"{number}.tif", synthetic_field(number, (side, side)).image)
        session.open(folder)
        for index in range(images - 1):
            wait_until(lambda: session.index + 1 in session.ahead and not session.queue.busy)
            begin = time.perf_counter()
            session.where_to.step(1)
            taken.append(time.perf_counter() - begin)
            assert session.shown.index == index + 1
            assert session.shown.mask is not None
            QApplication.processEvents()
        with Latecomer() as late:
            session.where_to.step(-1)
            end = time.monotonic() + 1
            wait_until(lambda: time.monotonic() > end)
        viewer.close()
    return taken, late.worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--side", type=int, default=1024, help="of an image, in px")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        run_module.runs_folder = lambda: Path(home) / "runs"
        for name in ("VEINSEG_MODELS", "VEINSEG_CONFIG_DIR", "VEINSEG_AUTOSAVE_DIR"):
            os.environ[name] = f"{home}/{name}"
        before = in_docks(arguments.images)
        print(f"clicks and keys in the docks before: {before}, written down")
        for way, beside in (("retrained", False), ("learnt beside", True)):
            now = in_workbench(arguments.images, beside)
            print(f"in the workbench, {way}: {now}, driven ({now / before:.2f})", flush=True)
    taken, late = going_on(arguments.side, arguments.images)
    print(f"next image, mask ready, {arguments.side} px: median {statistics.median(taken):.3f} s,")
    print(f"worst {max(taken):.3f} s; the viewer's timer came at most {late:.0f} ms late")


if __name__ == "__main__":
    main()
