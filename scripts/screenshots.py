"""Take the pictures of the README and the docs from the running program: `make screenshots`.

Every picture is a function that is given an empty viewer and leaves it as it is to be seen.  With
`--theme light` the same pictures are taken in napari's light theme.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

SIZE = (1400, 860)


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the program did not get ready for its picture")
        QApplication.processEvents()
        time.sleep(0.01)


def settle(seconds: float = 1.0) -> None:
    """Let Qt and OpenGL draw."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def segment(viewer: napari.Viewer) -> None:
    """Show the Segment widget and what one press of its button gives."""
    from napari_veinseg.data.sample_data import sample_finger

    viewer.add_image(sample_finger().image, name="finger")
    _, widget = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")
    wait_until(lambda: "Loading" not in widget.badge.text())
    widget.segment.click()
    wait_until(lambda: not widget.job.running)


PICTURES: dict[str, Callable[[napari.Viewer], None]] = {"segment": segment}


def take(name: str, folder: Path, theme: str) -> Path:
    viewer = napari.Viewer(show=True)
    try:
        viewer.theme = theme
        viewer.window.resize(*SIZE)
        PICTURES[name](viewer)
        settle()
        viewer.reset_view(margin=0.02)
        settle()
        path = folder / f"{name}.png"
        viewer.screenshot(path, canvas_only=False, flash=False)
        return path
    finally:
        viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=PICTURES, action="append")
    parser.add_argument("--theme", default="dark", choices=["dark", "light"])
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.only or PICTURES:
        print(take(name, arguments.folder, arguments.theme))


if __name__ == "__main__":
    main()
