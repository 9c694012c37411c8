"""Images that are ready before they are asked for: those around the one that is shown."""

from collections import OrderedDict
from functools import partial

from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.image_folder import ImageFolder, OpenedImage
from napari_veinseg.correction.next_image import waiting_for
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.workbench.open_and_segment import MaskMaker, prepare_image

_KEPT = 6  # images in memory


class ImagesAhead(QObject):
    """Reads and segments one image at a time beside the viewer, and keeps the latest ones."""

    idle = Signal()
    """The work on an image has ended."""
    prepared = Signal(int, object)
    """An image is ready: its place, and what was read or why it could not be."""
    failed = Signal(int)
    """An image could not be segmented: its place."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._ready: OrderedDict[int, OpenedImage] = OrderedDict()
        self._preparing: int | None = None
        self._tried: set[tuple[int, str]] = set()  # what could not be had, or waits no longer
        self.renews_waiting = False
        """Whether masks that another model made are made again before their images are opened."""
        self._job = Job("Preparing the next image", self, quiet=True)
        self._job.changed.connect(self.idle)
        self._reading = Job("Opening the image", self)
        self._reading_index: int | None = None

    def __contains__(self, index: int) -> bool:
        return index in self._ready

    def get(self, index: int) -> OpenedImage | None:
        """Return an image that is ready."""
        return self._ready.get(index)

    def keep(self, opened: OpenedImage) -> None:
        """Keep an image as it is now; what is being prepared of it is older."""
        self._ready[opened.index] = opened
        self._ready.move_to_end(opened.index)
        while len(self._ready) > _KEPT:
            self._ready.popitem(last=False)
        if self.is_preparing(opened.index):
            self.stop()

    def forget(self) -> None:
        """Keep nothing, and stop what is being prepared."""
        self._ready.clear()
        self._tried.clear()
        self.stop()

    def leave_folder(self) -> None:
        """Stop all work, and keep nothing."""
        self._reading.abandon()
        self.forget()

    def stop(self) -> None:
        """Stop what is being prepared, but not what somebody waits for."""
        self._job.abandon()

    @property
    def running(self) -> bool:
        """Whether an image is being prepared."""
        return self._job.running

    def is_preparing(self, index: int) -> bool:
        """Say whether just this image is being prepared."""
        return self._job.running and self._preparing == index

    def read_now(self, folder: ImageFolder, index: int) -> None:
        """Read an image that somebody waits for; its mask can wait."""
        self._reading.abandon()
        if not self.is_preparing(index):
            self._reading_index = index
            done = partial(self._end, index, "", True)
            self._reading.start(partial(prepare_image, folder, index, None), done)

    def is_reading(self, index: int) -> bool:
        """Say whether an image that was asked for will come."""
        asked = self._reading.running and self._reading_index == index
        return asked or self.is_preparing(index)

    def prepare(self, folder: ImageFolder, shown: int, maker: MaskMaker | None) -> None:
        """Begin with the next image that is not ready, or else that waits for a newer mask."""
        if self._job.running:
            return
        by = maker.identity if maker is not None else ""
        near = [(shown + 1) % len(folder), folder.next_unreviewed(shown)]
        wanted = [
            (index, True)
            for index in near
            if index not in (None, shown) and not self._is_current(folder, index, maker)
        ]
        if self.renews_waiting and maker is not None:
            wanted += [(index, False) for index in waiting_for(folder, by, shown)]
        for index, is_near in wanted:
            if index not in folder.faults and (index, by) not in self._tried:
                self._preparing = index
                work = partial(prepare_image, folder, index, maker)
                done = partial(self._end, index, by, is_near or index in self._ready)
                self._job.start(work, done, failed=partial(self.failed.emit, index))
                return

    def _is_current(self, folder: ImageFolder, index: int, maker: MaskMaker | None) -> bool:
        ready = self._ready.get(index)
        if ready is None or maker is None:
            return ready is not None
        return not maker.at(folder.stems[index], ready.pixels).must_segment(ready.draft)

    def _end(self, index: int, by: str, keep: bool, opened: OpenedImage | str) -> None:
        if keep and isinstance(opened, OpenedImage):
            self.keep(opened)
        else:
            self._tried.add((index, by))
        self.prepared.emit(index, opened)
