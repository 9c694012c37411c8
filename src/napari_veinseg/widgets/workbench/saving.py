"""Writes drafts and reviewed masks beside the viewer, one after the other, and loses none."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_veinseg.correction.drafts import Draft, model_name
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.closing import closed_by_hand, is_closing
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import report

_AGAIN = 5_000  # ms after which what could not be written is tried again


@dataclass(eq=False)
class _Save:
    folder: ImageFolder
    index: int
    draft: Draft
    pixels: NDArray[Any] | None = None  # of an image that was reviewed
    written: bool = False
    _writing: Lock = field(default_factory=Lock)

    @property
    def image(self) -> tuple[Path, str]:
        """What its writes have to follow each other for."""
        return self.folder.home, self.folder.stems[self.index]

    def write(self) -> None:
        """Write once: a worker that comes late must not undo what was written after it."""
        with self._writing:
            if not self.written:
                self._write()

    def _write(self) -> None:
        if self.pixels is None:
            self.folder.store(self.index, self.draft)
            self.written = True
            return
        try:
            drawn_by = model_name(self.draft.notes.model)
            self.folder.review(self.index, self.pixels, self.draft.mask, drawn_by)
            self.written = True
        except VeinSegError:
            self.folder.store(self.index, self.draft)  # it is work all the same
            self.written = True
            raise
        finally:
            if self.written:
                self.folder.states.pending.discard(self.index)


class SaveQueue(QObject):
    """What waits to be written, in order; the last word about an image counts.

    What cannot be written goes on waiting, also when the folder is left or the dock closed: beside
    it the masks of other images are written, behind it the later ones of its own image wait.
    """

    changed = Signal()
    closing = Signal()
    """Somebody closes the viewer: what is not asked for now is not asked about."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.installEventFilter(self)
        self._waiting: list[_Save] = []
        self._refused: dict[tuple[Path, str], str] = {}  # why, by image
        self._resting: set[tuple[Path, str]] = set()  # refused, and not tried again yet
        self._job = Job("Saving the mask", self, quiet=True)
        self._job.changed.connect(self._go_on)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._try_again)

    @classmethod
    def of(cls, window: QWidget) -> "SaveQueue":
        """Return the queue of a viewer, which outlives its docks."""
        return window.findChild(cls) or cls(window)

    @property
    def busy(self) -> bool:
        """Whether something is not on disk yet."""
        return bool(self._waiting)

    def waiting(self, folder: ImageFolder, index: int) -> Draft | None:
        """Return the mask of an image whose file is not whole yet."""
        image = folder.home, folder.stems[index]
        found = [save for save in self._waiting if save.image == image]
        return found[-1].draft if found else None

    def is_waiting(self, folder: ImageFolder, index: int) -> bool:
        """Say whether an image's file is not whole yet."""
        return self.waiting(folder, index) is not None

    def store(self, folder: ImageFolder, index: int, draft: Draft) -> None:
        """Write a draft soon."""
        self._add(_Save(folder, index, draft))

    def review(self, folder: ImageFolder, index: int, pixels: NDArray[Any], draft: Draft) -> None:
        """Put an image into the dataset soon."""
        self._add(_Save(folder, index, draft, pixels))

    def flush(self) -> None:
        """Write all at once: the folder is being left."""
        self._resting.clear()
        while (save := self._next()) is not None:
            self._settle(_written(save))
        self._job.abandon()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Ask before the viewer is closed over masks that cannot be written."""
        if is_closing(event):
            self.closing.emit()
            self.flush()
            if self._waiting and closed_by_hand(watched) and not self._may_lose():
                event.ignore()
                return True
        return super().eventFilter(watched, event)

    def _may_lose(self) -> bool:
        names = [stem for _, stem in self._refused]
        which = f"mask of '{names[0]}'" if len(names) == 1 else f"masks of {len(names)} images"
        window = self.parent()
        assert isinstance(window, QWidget)
        box = QMessageBox(window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Not everything is saved")
        box.setText(f"The {which} could not be written, and closing the viewer loses what is new.")
        box.setInformativeText(
            f"{next(iter(self._refused.values()))} While the viewer is open, it is tried again "
            f"every {_AGAIN // 1000} seconds."
        )
        keep = box.addButton("Keep it open", QMessageBox.ButtonRole.RejectRole)
        lose = box.addButton("Close and lose", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.exec()
        return box.clickedButton() is lose

    def _add(self, save: _Save) -> None:
        self._waiting.append(save)
        self._go_on()

    def _next(self) -> _Save | None:
        return next((save for save in self._waiting if save.image not in self._resting), None)

    def _try_again(self) -> None:
        self._resting.clear()
        self._go_on()

    def _go_on(self) -> None:
        save = self._next()
        if save is not None and not self._job.running:
            self._job.start(lambda _reporter: _written(save), self._settle)
        self.changed.emit()

    def _settle(self, ended: tuple[_Save, Exception | None]) -> None:
        save, error = ended
        if error is not None and str(error) not in self._refused.values():  # else it was told
            kept = "" if save.written else " It is kept in memory, and tried again."
            told = VeinSegError(f"{error}{kept}") if isinstance(error, VeinSegError) else error
            report(told, "Saving the mask")
        if save.written:
            self._waiting = [each for each in self._waiting if each is not save]
            self._refused.pop(save.image, None)
            return
        self._refused[save.image] = str(error)
        self._resting.add(save.image)
        if not self._again.isActive():  # others that rest must not wait longer for this one
            self._again.start(_AGAIN)


def _written(save: _Save) -> tuple[_Save, Exception | None]:
    try:
        save.write()
    except Exception as error:
        return save, error
    return save, None
