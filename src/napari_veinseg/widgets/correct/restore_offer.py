"""The offer to restore corrections that a killed viewer left, and the restoring."""

import time

import napari
import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QTimer

from napari_veinseg.correction.autosave import LeftSession, left_sessions, set_damaged_aside
from napari_veinseg.data.image_files import read_image
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.form import Hint, Section, button, set_shown
from napari_veinseg.widgets.common.notify import reported, show_info, show_warning
from napari_veinseg.widgets.correct.autosaver import Autosaver
from napari_veinseg.widgets.masks.layer_metadata import image_of
from napari_veinseg.widgets.masks.layers import add_mask_layer, image_shape
from napari_veinseg.widgets.masks.undo import write_pixels


class RestoreOffer(Section):
    """One line above the widget for corrections that a viewer left behind."""

    def __init__(self, viewer: napari.Viewer, autosaver: Autosaver) -> None:
        super().__init__("")
        self._viewer, self._autosaver = viewer, autosaver
        self.session: LeftSession | None = None
        self.text = Hint()
        self.accept = button("Restore", "Open these corrections again.")
        self.discard = button("Discard", "Delete these corrections for good.")
        self.accept.clicked.connect(self._restore)
        self.discard.clicked.connect(self._discard)
        self.add_wide(self.text)
        self.add_buttons(self.accept, self.discard)
        self.show_newest()
        # Those of a viewer that was killed seconds ago still look alive.
        self._again = QTimer(self, singleShot=True, interval=20_000)
        self._again.timeout.connect(self.show_newest)
        self._again.start()

    def show_newest(self) -> None:
        """Look for sessions, and show the newest."""
        with reported("Looking for corrections to restore", self):
            self.session = next(iter(left_sessions()), None)
            for folder in set_damaged_aside():
                show_warning(
                    f"Corrections in {folder} cannot be offered, for their session.json is "
                    "damaged: the masks in there can be opened with File > Open."
                )
        set_shown(self, self.session is not None)
        if self.session is not None:
            when = time.strftime("%d %B, %H:%M", time.localtime(self.session.saved))
            self.text.setText(f"Corrections of '{self.session.name}' from {when} were not stored.")

    def _restore(self) -> None:
        with reported("Restoring corrections", self):
            if self.session is not None:
                self._autosaver.adopt(restore_session(self._viewer, self.session), self.session)
        self.show_newest()

    def _discard(self) -> None:
        if self.session is not None:
            self.session.discard()
        self.show_newest()


def restore_session(viewer: napari.Viewer, session: LeftSession) -> Labels:
    """Put saved corrections back: into the mask of that name, else into a new layer."""
    for layer in viewer.layers:
        fits = isinstance(layer, Labels) and tuple(layer.data.shape) == session.shape
        if fits and layer.name == session.name and _may_be_its_image(image_of(layer), session):
            after = session.restored(layer.data)
            where = np.nonzero(after != layer.data)
            write_pixels(layer, where, after[where])
            return layer
    image = _find_image(viewer, session)
    if image is not None:
        return add_mask_layer(viewer, session.restored(), image, name=session.name)
    show_info(f"Open the image '{session.image_name}' below the restored mask.")
    return viewer.add_labels(session.restored(), name=session.name, **session.place)


def _may_be_its_image(image: Image | None, session: LeftSession) -> bool:
    """Whether an image may be the session's: not where it is known to be another file."""
    path = str(image.source.path or "") if image is not None else ""
    return not path or not session.image_path or path == session.image_path


def _find_image(viewer: napari.Viewer, session: LeftSession) -> Image | None:
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
