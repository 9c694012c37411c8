"""What the workbench saves a person: `python benchmarks/workbench.py [--images 5] [--side 1024]`.

The task: open a folder; review five images, each with two veins added and one branch removed;
train; keep the model; see the next image segmented by it.  Both ways are written down as what a
hand does, click by click and key by key, so that anybody can check them.  Going to the next image
is done in a real viewer and timed (median, and the worst that the viewer's thread was held).
Corrections cost the same in both ways and are counted apart.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication
from viewer import Latecomer, wait_until

from napari_veinseg.data.images import write_image
from napari_veinseg.data.synthesis import synthetic_field

# A vein: its tool's key, two clicks and Enter.  A branch that goes: its tool's key and a click.
CORRECTING = 2 * 4 + 2
DOCKS = {
    "open the docks Segment, Correct and Train (menu, submenu, entry)": (3 * 3, 0),
    "choose the dataset in Correct, and again in Train (button, folder, OK)": (2 * 3, 0),
    "name patterns and the summary": (0, 0),
    "train: Start, Keep": (2, 0),
    "segment the next image: open it (menu, entry, file, OK), choose it, Segment": (6, 0),
}
DOCKS_EACH = {
    "open the image (menu, entry, file, OK)": 4,
    "hide or remove the layers of the image before (select two, press the bin)": 3,
    "Segment": 1,
    "choose the mask, and make it the active layer": 2,
    "Reviewed": 1,
}
WORKBENCH = {
    "open the workbench (menu, submenu, entry)": 3,
    "open the folder (button, entry, folder, OK)": 4,
    "train: tab, Start, Keep": 3,
    "the next image is segmented by the new model when it is shown": 0,
}
WORKBENCH_EACH = {"Reviewed, next (R)": 1}


def count(images: int) -> tuple[int, int]:
    """Return clicks and keys of the docks before, and of the workbench, without correcting."""
    before = sum(sum(each) for each in DOCKS.values()) + images * sum(DOCKS_EACH.values())
    now = sum(WORKBENCH.values()) + images * sum(WORKBENCH_EACH.values())
    return before, now


def going_on(side: int, images: int) -> tuple[list[float], float]:
    """Go through a folder with the next mask ready; seconds a step, and ms of lateness."""
    viewer = napari.Viewer()
    _, bench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")
    session, taken = bench.session, []
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "images"
        folder.mkdir()
        for number in range(images):
            write_image(folder / f"{number}.tif", synthetic_field(number, (side, side)).image)
        session.open(folder)
        for index in range(images - 1):
            wait_until(lambda: session.index + 1 in session._ready and not session.queue.busy)
            begin = time.perf_counter()
            session.step(1)
            taken.append(time.perf_counter() - begin)
            assert session.shown.index == index + 1
            assert session.shown.mask is not None
            QApplication.processEvents()
        with Latecomer() as late:
            session.step(-1)
            end = time.monotonic() + 1
            wait_until(lambda: time.monotonic() > end)
        viewer.close()
    return taken, late.worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5)
    parser.add_argument("--side", type=int, default=1024, help="of an image, in px")
    arguments = parser.parse_args()
    before, now = count(arguments.images)
    same = arguments.images * CORRECTING
    print(f"clicks and keys besides correcting: {before} in the docks before, {now} now")
    print(f"with the {same} of correcting: {before + same} before, {now + same} now "
          f"({(now + same) / (before + same):.2f})")  # fmt: skip
    taken, late = going_on(arguments.side, arguments.images)
    print(f"next image, mask ready, {arguments.side} px: median {statistics.median(taken):.3f} s,")
    print(f"worst {max(taken):.3f} s; the viewer's timer came at most {late:.0f} ms late")


if __name__ == "__main__":
    main()
