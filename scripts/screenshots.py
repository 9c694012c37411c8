"""Take the pictures of the README and the docs from the running program: `make screenshots`.

Every picture is a function that is given an empty viewer and leaves it as it is to be seen; those
of the way through a folder come from one session (`folder_pictures`), of photographs of forearms
where `--data DIR` (or VEINSEG_DATA) holds `forearm_masks`.  With `--theme light` the same pictures
are taken in napari's light theme.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import napari
import pictures
from folder_pictures import folder_story
from pictures import PICTURES
from PIL import Image
from qtpy.QtGui import QPainter, QPixmap
from report_picture import browser, take_report
from staging import nobodys_corrections, open_menus, settle

SIZE = (1360, 740)
FOLDER_SIZE = (1360, 860)
LARGEST = 400_000  # bytes


def take(name: str, folder: Path, theme: str) -> Path:
    with opened_viewer(theme, SIZE) as viewer:
        PICTURES[name](viewer)
        return photograph(viewer, folder / f"{name}.png")


def take_story(folder: Path, theme: str, size: tuple[int, int], data: Path | None) -> list[Path]:
    with opened_viewer(theme, size) as viewer:
        names = folder_story(viewer, data)
        return [photograph(viewer, folder / f"{name}.png") for name in names]


@contextmanager
def opened_viewer(theme: str, size: tuple[int, int]) -> Iterator[napari.Viewer]:
    viewer = napari.Viewer(show=True)
    try:
        viewer.theme = theme
        viewer.window.resize(*size)
        viewer.window._qt_window.move(0, 0)
        yield viewer
    finally:
        viewer.close()


def photograph(viewer: napari.Viewer, path: Path) -> Path:
    settle()
    viewer.reset_view(margin=0.02)
    settle()
    viewer.screenshot(path, canvas_only=False, flash=False)
    draw_menus(path, viewer)
    return path


def draw_menus(path: Path, viewer: napari.Viewer) -> None:
    """Add the open menus, which are windows of their own, to the picture."""
    page = QPixmap(str(path))
    painter = QPainter(page)
    corner = viewer.window._qt_window.mapToGlobal(viewer.window._qt_window.rect().topLeft())
    for menu in open_menus():
        painter.drawPixmap(menu.mapToGlobal(menu.rect().topLeft()) - corner, menu.grab())
        menu.close()
    painter.end()
    page.save(str(path))


def shrink(path: Path) -> None:
    """Keep the repository small: fewer colours where a picture is large."""
    picture = Image.open(path).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        octree = Image.Quantize.FASTOCTREE  # keeps the few pixels of a curve's colour
        picture.quantize(256, method=octree, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    names = [*PICTURES, "report", "folder"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=names, action="append")
    parser.add_argument("--theme", default="dark", choices=["dark", "light"])
    parser.add_argument(
        "--minutes", type=float, default=pictures.TRAINING_MINUTES, help="of the training shown"
    )
    named = os.environ.get("VEINSEG_DATA")
    parser.add_argument("--data", type=Path, default=named, help="holds forearm_masks")
    parser.add_argument("--size", type=int, nargs=2, default=FOLDER_SIZE, help="of the folder's")
    arguments = parser.parse_args()
    pictures.TRAINING_MINUTES = arguments.minutes
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.only or names:
        paths = [arguments.folder / f"{name}.png"]
        if name == "folder":
            with nobodys_corrections():
                how = (tuple(arguments.size), arguments.data)
                paths = take_story(arguments.folder, arguments.theme, *how)
        elif name in PICTURES:
            with nobodys_corrections():
                take(name, arguments.folder, arguments.theme)
        elif browser():
            take_report(paths[0])
        else:
            print(f"{paths[0]} is left as it is: a Chromium on the PATH takes it anew")
            continue
        for path in paths:
            shrink(path)
            print(path, f"{path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
