"""Writes drafts and reviewed masks beside the viewer, one after the other, and loses none."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.drafts import Draft, model_name
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.notify import reported


@dataclass(eq=False)
class _Save:
    folder: ImageFolder
    index: int
    draft: Draft
    pixels: NDArray[Any] | None = None  # of an image that was reviewed
    _writing: Lock = field(default_factory=Lock)
    _written: bool = False

    def write(self) -> None:
        """Write once: a worker that comes late must not undo what was written after it."""
        with self._writing:
            if not self._written:
                self._write()
                self._written = True

    def _write(self) -> None:
        if self.pixels is None:
            self.folder.store(self.index, self.draft)
            return
        try:
            drawn_by = model_name(self.draft.notes.model)
            self.folder.review(self.index, self.pixels, self.draft.mask, drawn_by)
        except VeinSegError:
            self.folder.store(self.index, self.draft)  # it is work all the same
            raise
        finally:
            self.folder.states.pending.discard(self.index)


class SaveQueue(QObject):
    """What waits to be written, in order; the last word about an image counts."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: list[_Save] = []
        self._job = Job("Saving the mask", self, quiet=True)
        self._job.changed.connect(self._go_on)

    @property
    def busy(self) -> bool:
        """Whether something is not on disk yet."""
        return bool(self._waiting)

    def waiting(self, index: int) -> Draft | None:
        """Return the mask of an image whose file is not whole yet."""
        drafts = [save.draft for save in self._waiting if save.index == index]
        return drafts[-1] if drafts else None

    def store(self, folder: ImageFolder, index: int, draft: Draft) -> None:
        """Write a draft soon."""
        self._add(_Save(folder, index, draft))

    def review(self, folder: ImageFolder, index: int, pixels: NDArray[Any], draft: Draft) -> None:
        """Put an image into the dataset soon."""
        self._add(_Save(folder, index, draft, pixels))

    def flush(self) -> None:
        """Write all at once: the folder is being left."""
        self._job.abandon()
        saves, self._waiting = self._waiting, []
        for save in saves:
            with reported("Saving the mask"):
                save.write()

    def _add(self, save: _Save) -> None:
        self._waiting.append(save)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._job.running:
            save = self._waiting[0]

            def work(_reporter: Reporter) -> _Save:
                save.write()
                return save

            self._job.start(work, self._settle, failed=lambda: self._settle(save))
        self.changed.emit()

    def _settle(self, save: _Save) -> None:
        self._waiting = [each for each in self._waiting if each is not save]
