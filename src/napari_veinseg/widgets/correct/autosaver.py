"""Saving corrections every few seconds while they are made."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import napari
import numpy as np
from napari.layers import Image, Labels
from napari.qt.threading import create_worker
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_veinseg.correction.autosave import Autosave, LeftSession
from napari_veinseg.widgets.common.notify import trying, warn
from napari_veinseg.widgets.common.preferences import preferences
from napari_veinseg.widgets.correct.edited_mask import PlaneIndex
from napari_veinseg.widgets.masks.layer_metadata import image_of, record_of
from napari_veinseg.widgets.masks.layers import is_kept

_PLACE = ("scale", "translate", "rotate", "shear", "affine")
_DOING = "Saving corrections"


class Autosaver(QObject):
    """Saves every mask that was corrected while the widget is open."""

    adopted = Signal()
    """Corrections were restored, and whoever keeps their mask must save it now."""

    def __init__(self, viewer: napari.Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._saves: WeakKeyDictionary[Labels, Autosave] = WeakKeyDictionary()
        self._stored: list[Callable[[], object]] = []  # what forgets a plane, on a disk
        self._worker: Any = None
        self._warned = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.save)
        self._timer.start(_interval())

    def watch(self, layer: Labels, image: Image | None) -> None:
        """Begin to save a mask; as it is now it counts as not corrected."""
        if not isinstance(layer.data, np.ndarray) or layer.multiscale:
            return
        record_of(layer)  # knows each stroke from here on, also those that outlive the history
        if layer not in self._saves and not is_kept(self._viewer, layer):
            self._saves[layer] = Autosave(layer.data, _description(layer, image))

    def adopt(self, layer: Labels, session: LeftSession) -> None:
        """Save restored corrections anew before those of the old session go."""
        self.watch(layer, image_of(layer))
        saver = self._saves.get(layer)
        if saver is None:  # an open folder keeps it
            self.adopted.emit()
        else:
            for number in session.planes:
                saver.unsettle(number)
            saver.save(layer.data)
        session.discard()

    def settle(self, layer: Labels, plane: PlaneIndex, stored: NDArray[Any]) -> None:
        """Forget, with the next save, a plane that is stored elsewhere now, as `stored`."""
        if layer in self._saves:
            number = plane[0] if plane else 0
            self._stored.append(partial(self._saves[layer].settle, number, stored))

    def save(self) -> None:
        """Save in a thread what changed; skipped while the last save is still at work."""
        self._timer.setInterval(_interval())  # the preferences may have changed
        if self._worker is not None:
            return
        work = self._work()
        if not work:
            return
        self._worker = create_worker(_do_all, work, _start_thread=False)
        self._worker.returned.connect(self._on_saved)
        self._worker.start()

    def stop(self) -> None:
        """Save a last time, at once: the widget closes."""
        self._timer.stop()
        _do_all(self._work())
        self._saves.clear()

    def _work(self) -> list[Callable[[], object]]:
        """Give what forgets and saves planes, but for a mask that has another shape now."""
        work, self._stored = self._stored, []
        for layer, saver in list(self._saves.items()):
            if is_kept(self._viewer, layer):  # since the mask above it was removed
                del self._saves[layer]
            elif layer.data.shape == saver.shape:
                work.append(partial(saver.save, layer.data))
        return work

    def _on_saved(self, problem: str) -> None:
        self._worker = None
        if not problem:
            trying(_DOING, self)
        elif not self._warned:
            warn(f"Corrections cannot be saved while you work: {problem}", _DOING, self)
        self._warned = bool(problem)


def _interval() -> int:
    return int(preferences().autosave_seconds * 1000)


def _do_all(work: Iterable[Callable[[], object]]) -> str:
    """Do what can be done, and say why something could not."""
    problem = ""
    for each in work:
        try:
            each()
        except Exception as error:  # whatever it is, the other masks are saved, and the next time
            problem = str(error) or repr(error)
    return problem


def _description(layer: Labels, image: Image | None) -> dict[str, Any]:
    return {
        "name": layer.name,
        "image_name": image.name if image is not None else "",
        "image_path": str(image.source.path or "") if image is not None else "",
        "place": {key: np.asarray(getattr(layer, key)).tolist() for key in _PLACE},
    }
