"""Writes drafts and reviewed masks beside the viewer, one after the other, and loses none."""

from typing import NamedTuple

from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.mask_store import MaskHome, Unsaved
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.asking import closed_by_hand, is_closing, may_lose
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import report

_AGAIN = 5_000  # ms after which what could not be written is tried again
_TOLD = 4  # reasons, when the viewer is closed

_Image = tuple[MaskHome, str]


class _Refusal(NamedTuple):
    """Why an image could not be written; no exception, whose traceback would hold the viewer."""

    cause: str
    text: str


class SaveQueue(QObject):
    """The images whose last word waits to be written, in order.

    What cannot be written goes on waiting, also when the folder is left or the dock closed, and
    holds up no other image.
    """

    changed = Signal()
    closing = Signal()
    """Somebody closes the viewer: what is not asked for now is not asked about."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.installEventFilter(self)
        self._waiting: dict[_Image, None] = {}  # an ordered set
        self._refused: dict[_Image, _Refusal] = {}
        self._resting: set[_Image] = set()  # refused, and not tried again yet
        self.trouble_text = ""
        """Why the last mask that was refused could not be written, until all are."""
        self._job = Job("Saving the mask", self, quiet=True)
        self._job.changed.connect(self._go_on)
        self._again = QTimer(self, singleShot=True, interval=_AGAIN)
        self._again.timeout.connect(self._try_again)

    @classmethod
    def of(cls, window: QWidget) -> "SaveQueue":
        """Return the queue of a viewer, which outlives its docks."""
        return window.findChild(cls) or cls(window)

    @property
    def busy(self) -> bool:
        """Whether something is not on disk yet."""
        return bool(self._waiting)

    def add(self, folder: ImageFolder, index: int, unsaved: Unsaved) -> None:
        """Write the last word about an image soon."""
        image = folder.masks, folder.stems[index]
        folder.masks.keep(folder.stems[index], unsaved)
        self._waiting[image] = None
        self._go_on()

    def flush(self) -> None:
        """Write all at once: the folder is being left."""
        self._resting.clear()
        while (image := self._next()) is not None:
            self._settle(_write(image))
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
        lost = {image: refusal for image, refusal in self._refused.items() if _is_work(image)}
        if not lost:
            return True
        names = [stem for _, stem in lost]
        which = f"mask of '{names[0]}'" if len(names) == 1 else f"masks of {len(names)} images"
        window = self.parent()
        assert isinstance(window, QWidget)
        text = f"The {which} could not be written, and closing the viewer loses what is new."
        reasons = list(dict.fromkeys(refusal.text for refusal in lost.values()))
        more = [f"... and {len(reasons) - _TOLD} more like these."] if len(reasons) > _TOLD else []
        again = f"While the viewer is open, it is tried again every {_AGAIN // 1000} seconds."
        why = "\n\n".join([*reasons[:_TOLD], *more, again])
        return may_lose(
            window, "Not everything is saved", text, why, "Close and lose", "Keep it open"
        )

    def _next(self) -> _Image | None:
        return next((image for image in self._waiting if image not in self._resting), None)

    def _try_again(self) -> None:
        self._resting.clear()
        self._go_on()

    def _go_on(self) -> None:
        image = self._next()
        if image is not None and not self._job.running:
            self._job.start(lambda _reporter: _write(image), self._settle)
        self.changed.emit()

    def _settle(self, ended: tuple[_Image, Exception | None]) -> None:
        image, error = ended
        home, stem = image
        waits = home.unsaved(stem) is not None
        if error is not None and not self._was_told(home, _cause(error)):
            kept = " It is kept in memory, and tried again." if waits else ""
            told = VeinSegError(f"{error}{kept}") if isinstance(error, VeinSegError) else error
            self.trouble_text = str(told)
            report(told, "Saving the mask", None)  # the dock may be gone: it asks for the text
        if not waits:
            self._waiting.pop(image, None)
        if not waits or error is None:
            self._refused.pop(image, None)
            if error is None and not self._refused:
                self.trouble_text = ""
            return
        self._refused[image] = _Refusal(_cause(error), str(error))
        self._resting.add(image)
        if not self._again.isActive():  # others that rest must not wait longer for this one
            self._again.start()

    def _was_told(self, home: MaskHome, cause: str) -> bool:
        """Say whether another image of the folder waits for the same: a full disk is told once."""
        return any(
            where is home and refusal.cause == cause
            for (where, _), refusal in self._refused.items()
        )


def _cause(error: Exception) -> str:
    system = error.__cause__
    return (system.strerror if isinstance(system, OSError) else None) or str(error)


def _is_work(image: _Image) -> bool:
    """Tell a person's work from a mask that a model makes again."""
    home, stem = image
    unsaved = home.unsaved(stem)
    return unsaved is not None and unsaved.state is not ImageState.SEGMENTED


def _write(image: _Image) -> tuple[_Image, Exception | None]:
    home, stem = image
    try:
        home.write(stem)
    except Exception as error:
        return image, error
    return image, None
