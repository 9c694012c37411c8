"""Draws all that the docks show in a hidden window of a program of its own, once in a home.

At its first drawing OpenGL compiles a program for each kind of thing, and numba what makes its
triangles: up to 0.3 s in which the viewer stands still, and seconds.  Drivers and numba keep what
they have compiled on disk, for all programs of this home.  So a child has it compiled.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path

import napari
import vispy
from qtpy import API_NAME, QT_VERSION
from qtpy.QtGui import QGuiApplication

from napari_veinseg.files import CACHE_VARIABLE, user_folder, write_text

_SECONDS = 60.0  # of waiting; it takes about ten
_ELSEWHERE = ("offscreen", "minimal", "cocoa")  # no OpenGL; a Mac shows an icon for each program
_child: subprocess.Popen[bytes] | None = None


def start() -> None:
    """Start the child, unless these editions of what draws had theirs in this home."""
    global _child
    if QGuiApplication.platformName() in _ELSEWHERE or note().exists():
        return
    with suppress(OSError):  # whatever it is: things are drawn later then
        note().parent.mkdir(parents=True, exist_ok=True)
        write_text(note(), "drawn\n")  # first, for what fails here fails each time
        _child = subprocess.Popen(  # noqa: S603  (our own module, no arguments)
            [sys.executable, "-m", __name__],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"NAPARI_CONFIG": ""},  # nobody's settings are read or written
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )


def wait(cancelled: Callable[[], bool]) -> None:
    """Wait until the child has drawn; for workers."""
    end = time.monotonic() + _SECONDS
    while _child is not None and _child.poll() is None and not cancelled():
        if time.monotonic() > end:
            _child.kill()
        time.sleep(0.02)


def note() -> Path:
    """Name the file that says that all was drawn in this home."""
    editions = f"{napari.__version__} {vispy.__version__} {API_NAME} {QT_VERSION}"
    folder = user_folder("drawn", CACHE_VARIABLE, cache=True)
    return folder / f"drawn_{sha256(editions.encode()).hexdigest()[:16]}"


def _draw() -> None:
    from napari_veinseg.widgets.common.warm_up import show_lines, show_mask

    viewer = napari.Viewer(show=False)
    draw = partial(viewer.screenshot, flash=False)
    show_mask(viewer, draw)
    show_lines(viewer, draw)
    viewer.close()


if __name__ == "__main__":
    _draw()
