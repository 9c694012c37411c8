"""Saving corrections every few seconds, and offering those that a killed viewer left."""

import time
import weakref
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels
from napari.qt.threading import create_worker
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from napari_veinseg.correction.autosave import Autosave, LeftSession, left_sessions
from napari_veinseg.data.images import read_image
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.form import button, hint
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.preferences import preferences
from napari_veinseg.widgets.correct.target import Plane, Target
from napari_veinseg.widgets.masks.layers import add_mask_layer, image_shape
from napari_veinseg.widgets.masks.records import image_of
from napari_veinseg.widgets.masks.undo import write_pixels

_PLACE = ("scale", "translate", "rotate", "shear")


class Autosaver(QObject):
    """Saves every mask that was corrected while the widget is open.

    Parameters
    ----------
    parent : QObject
        The widget it belongs to.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._saves: dict[int, tuple[weakref.ref[Labels], Autosave]] = {}
        self._worker: Any = None
        self._warned = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.save)
        self._timer.start(_interval())

    def watch(self, target: Target) -> None:
        """Begin to save the target's mask, as it is now being the one that is not corrected.

        Parameters
        ----------
        target : Target
            What is corrected.
        """
        layer = target.mask
        if layer is None or not isinstance(layer.data, np.ndarray) or layer.multiscale:
            return
        self._watch(layer, target.image)

    def _watch(self, layer: Labels, image: Image | None) -> None:
        known = self._saves.get(id(layer))
        if known is None or known[0]() is not layer:
            saver = Autosave(layer.data, _description(layer, image))
            self._saves[id(layer)] = (weakref.ref(layer), saver)

    def adopt(self, layer: Labels, session: LeftSession) -> None:
        """Save restored corrections anew before those of the old session go.

        Parameters
        ----------
        layer : Labels
            What they were restored to.
        session : LeftSession
            Where they come from; it is discarded.
        """
        self._watch(layer, image_of(layer))
        saver = self._saves[id(layer)][1]
        for number in session.planes:
            saver.unsettle(number)
        saver.save(layer.data)
        session.discard()

    def settle(self, layer: Labels, plane: Plane) -> None:
        """Forget a plane that is stored elsewhere now.

        Parameters
        ----------
        layer : Labels
            A watched mask.
        plane : tuple of int
            The plane's index.
        """
        if id(layer) in self._saves:
            saver = self._saves[id(layer)][1]
            saver.settle(plane[0] if plane else 0, layer.data[plane])

    def save(self) -> None:
        """Save in a thread what changed; skipped while the last save is still at work."""
        self._timer.setInterval(_interval())  # the preferences may have changed
        if self._worker is not None:
            return
        work = [
            (saver, layer.data)
            for reference, saver in self._saves.values()
            if (layer := reference()) is not None and layer.data.shape == saver.shape
        ]
        if not work:
            return
        self._worker = create_worker(_save_all, work, _start_thread=False)
        self._worker.returned.connect(self._on_saved)
        self._worker.start()

    def stop(self) -> None:
        """Save a last time, at once: the widget closes."""
        self._timer.stop()
        for reference, saver in self._saves.values():
            layer = reference()
            if layer is not None and layer.data.shape == saver.shape:
                _save_all([(saver, layer.data)])
        self._saves = {}

    def _on_saved(self, problem: str) -> None:
        self._worker = None
        if problem and not self._warned:
            show_warning(f"Corrections cannot be saved while you work: {problem}")
        self._warned = bool(problem)


def _interval() -> int:
    return int(preferences().autosave_seconds * 1000)


def _save_all(work: list[tuple[Autosave, Any]]) -> str:
    for saver, mask in work:
        try:
            saver.save(mask)
        except (OSError, VeinSegError) as error:
            return str(error)
    return ""


def _description(layer: Labels, image: Image | None) -> dict[str, Any]:
    return {
        "name": layer.name,
        "image_name": image.name if image is not None else "",
        "image_path": str(image.source.path or "") if image is not None else "",
        "place": {key: np.asarray(getattr(layer, key)).tolist() for key in _PLACE},
    }


class RestoreOffer(QFrame):
    """One line above the widget for corrections that a viewer left behind.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are restored.
    autosaver : Autosaver
        What saves them from then on.
    """

    def __init__(self, viewer: napari.Viewer, autosaver: Autosaver) -> None:
        super().__init__()
        self._viewer, self._autosaver = weakref.ref(viewer), autosaver
        self.session: LeftSession | None = None
        self.text = hint()
        self.restore = button("Restore", "Open these corrections again.")
        self.discard = button("Discard", "Delete these corrections for good.")
        self.restore.clicked.connect(self._restore)
        self.discard.clicked.connect(self._discard)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.text)
        row = QHBoxLayout()
        row.addWidget(self.restore)
        row.addWidget(self.discard)
        column.addLayout(row)
        self.look()
        # Those of a viewer that was killed seconds ago still look alive.
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self.look)
        self._again.start(20_000)

    def look(self) -> None:
        """Look for sessions, and show the newest."""
        with reported("Looking for corrections to restore"):
            self.session = next(iter(left_sessions()), None)
        self.setVisible(self.session is not None)
        if self.session is not None:
            when = time.strftime("%d %B, %H:%M", time.localtime(self.session.saved))
            self.text.setText(f"Corrections of '{self.session.name}' from {when} were not stored.")

    def _restore(self) -> None:
        viewer = self._viewer()
        with reported("Restoring corrections"):
            if self.session is not None and viewer is not None:
                self._autosaver.adopt(restore(viewer, self.session), self.session)
        self.look()

    def _discard(self) -> None:
        if self.session is not None:
            self.session.discard()
        self.look()


def restore(viewer: napari.Viewer, session: LeftSession) -> Labels:
    """Put saved corrections back: into the mask of that name, else into a new layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Where.
    session : LeftSession
        What was left behind.

    Returns
    -------
    Labels
        The corrected mask.
    """
    for layer in viewer.layers:
        fits = isinstance(layer, Labels) and tuple(layer.data.shape) == session.shape
        if fits and layer.name == session.name and _may_be_its_image(image_of(layer), session):
            after = session.restored(layer.data)
            where = np.nonzero(after != layer.data)
            write_pixels(layer, where, after[where])
            return layer
    image = _image(viewer, session)
    if image is not None:
        return add_mask_layer(viewer, session.restored(), image, name=session.name)
    show_info(f"Open the image '{session.image_name}' below the restored mask.")
    return viewer.add_labels(session.restored(), name=session.name, **session.place)


def _may_be_its_image(image: Image | None, session: LeftSession) -> bool:
    """Whether an image may be the session's: not where it is known to be another file."""
    path = str(image.source.path or "") if image is not None else ""
    return not path or not session.image_path or path == session.image_path


def _image(viewer: napari.Viewer, session: LeftSession) -> Image | None:
    """Find the session's image in the viewer, or open its file."""
    for layer in viewer.layers:
        is_named = isinstance(layer, Image) and layer.name == session.image_name
        fits = is_named and image_shape(layer) == session.shape
        if fits and _may_be_its_image(layer, session):
            return layer
    try:
        pixels = read_image(session.image_path)
    except VeinSegError:
        return None
    if pixels.shape[: len(session.shape)] != session.shape:
        return None
    return viewer.add_image(pixels, name=session.image_name, **session.place)
