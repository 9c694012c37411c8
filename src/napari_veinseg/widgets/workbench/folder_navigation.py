"""Going through a folder: one image at a time, the next one ready, and what changed saved."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_veinseg.correction.drafts import Draft
from napari_veinseg.correction.image_folder import ImageFolder, OpenedImage
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.mask_store import Unsaved
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.folder_regions import FolderRegions
from napari_veinseg.widgets.common.canvas import end_strokes
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import show_warning, trying, warn
from napari_veinseg.widgets.common.preferences import preferences
from napari_veinseg.widgets.masks.showing import set_visible
from napari_veinseg.widgets.workbench.last_message import LastMessage
from napari_veinseg.widgets.workbench.mask_making import MaskMaking
from napari_veinseg.widgets.workbench.open_and_segment import MaskMaker
from napari_veinseg.widgets.workbench.prefetch import ImagesAhead
from napari_veinseg.widgets.workbench.recent_folders import remember_folder
from napari_veinseg.widgets.workbench.save_queue import SaveQueue
from napari_veinseg.widgets.workbench.shown_image import ImageDisplay, ShownImage
from napari_veinseg.widgets.workbench.where_to import WhereTo

_OPENING, _READING_MASK = "Opening the folder", "Reading the mask"


class FolderSession(QObject):
    """Shows one image of a folder after the other; without a folder it does nothing."""

    arrived = Signal()
    """Another image or another mask is shown, perhaps in the same layers."""
    changed = Signal()
    """There is something new to show: another image, another state, work begun or ended."""
    opened = Signal()
    """Another folder was opened, or the folder was closed."""

    def __init__(self, viewer: napari.Viewer, maker: Callable[[], MaskMaker]) -> None:
        super().__init__()
        self._viewer = viewer
        self.folder: ImageFolder | None = None
        self.regions: FolderRegions | None = None
        self.index = 0
        self.reason = ""  # why this image is shown
        self.message = LastMessage(self)
        self.opening = ""  # the name of a folder that is being opened
        self.uncover: Callable[[], bool] = lambda: False
        """Takes away what lies over the image; says whether anything did."""
        self._display = ImageDisplay(viewer, self.changed.emit, self)
        self._display.arrived.connect(self._arrive)
        self._opening = Job(_OPENING, self)
        self.masks = MaskMaking(self, maker)
        self.where_to = WhereTo(self)
        self.ahead = ImagesAhead(self)
        self.queue = SaveQueue.of(viewer.window._qt_window)
        self.queue.changed.connect(self.changed)
        self.queue.closing.connect(self.save)
        self.ahead.idle.connect(self.prepare_next)
        self.ahead.prepared.connect(self._take_prepared)
        self.ahead.failed.connect(self._fail_ahead)
        self.masks.changed.connect(self.changed)
        self.message.changed.connect(self.changed)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.save)

    # What is asked for.

    def open(self, path: Path) -> None:
        """Open a folder at its first image that is not reviewed; of several the last counts."""
        self._opening.show_rest()  # of the folder before, which stays where this one has no image
        self._opening.abandon()
        failed = partial(self._show_opening, "")
        self._opening.start(lambda _: ImageFolder.open(path), self._begin, failed=failed)
        self._show_opening(path.name)

    def _show_opening(self, name: str) -> None:
        self.opening = name
        self.changed.emit()

    def _begin(self, folder: ImageFolder) -> Iterator[None]:
        """Leave what is open for another folder, in turns that hold nobody up."""
        self._leave_folder()
        for layer in self._viewer.layers:
            set_visible(layer, False)
        yield
        self.folder, self.regions, self.opening = folder, FolderRegions(folder.drafts.path), ""
        self.index, self.reason = folder.next_unreviewed(-1) or 0, ""  # before anybody asks
        remember_folder(folder.path)
        self._timer.start(int(preferences().autosave_seconds * 1000))
        self.opened.emit()
        self._tell_damage()
        if folder.remark:
            warn(folder.remark, _OPENING, self)
        yield
        if self.folder is folder and self.shown is None and not self.reading:
            self.go(self.index)

    def close(self, *, keep_layers: bool = False) -> None:
        """Save what was changed and leave the folder, and the one that is being opened."""
        self._opening.abandon()
        self._show_opening("")
        self._leave_folder(keep_layers=keep_layers)

    def _leave_folder(self, *, keep_layers: bool = False) -> None:
        if self.folder is None:
            return
        self.save()
        for doing in (_OPENING, _READING_MASK):  # what was said of the folder and of its mask
            trying(doing, self)
        self.folder = self.regions = None  # first: where work is stopped, the next of it begins
        self.masks.leave_folder()
        self.ahead.leave_folder()
        self.queue.flush()
        self._display.leave(keep_layers=keep_layers)
        self.message.forget()
        self._timer.stop()
        self.opened.emit()
        self.changed.emit()

    def go(self, index: int, reason: str = "") -> None:
        """Show an image and its mask alone; what was changed on the last one is saved."""
        if self.folder is None:
            return
        self.uncover()
        self._finish_shown()
        self.masks.leave_shown()
        self.index, self.reason = index, reason
        self.message.forget()
        ready = self.ahead.get(index)
        if ready is not None:
            self._show(ready)
            return
        self.ahead.read_now(self.folder, index)
        self.message.show(f"Reading {self.folder.images[index].name}…")

    def review(self) -> None:
        """Put the image and its mask into the dataset, and go to the next."""
        folder, shown = self.folder, self.shown
        draft = shown.draft() if shown is not None else None
        if folder is None or shown is None or self.waiting:
            return  # the next image is still being opened
        if draft is None:
            raise VeinSegError("There is no mask to review: press Segment, or draw one.")
        shown.stored = accepted = replace(draft, edited=np.ones(draft.mask.shape, bool))
        shown.accept()
        self.ahead.keep(OpenedImage(shown.index, shown.pixels, accepted))
        reviewed = Unsaved(accepted, shown.pixels, as_drawn=not draft.is_edited)
        self.queue.add(folder, shown.index, reviewed)
        self.where_to.go_to_unreviewed()
        self.changed.emit()

    def save(self) -> None:
        """Keep the mask of the shown image as a draft if it was changed."""
        draft = self.shown.unsaved_draft() if self.shown is not None else None
        if self.folder is not None and self.shown is not None and draft is not None:
            self.shown.stored = draft
            self.keep(self.folder, self.shown, draft)

    def _finish_shown(self) -> None:
        """End what is being drawn: the mouse would go on in the mask of the next image."""
        if self.shown is not None and self.shown.mask is not None:
            end_strokes(self.shown.mask)
        self.save()

    def keep(self, folder: ImageFolder, shown: ShownImage, draft: Draft) -> None:
        """Keep a draft in memory, and have it written."""
        self.ahead.keep(OpenedImage(shown.index, shown.pixels, draft))
        self.queue.add(folder, shown.index, Unsaved(draft))

    def follow_model(self, *, renew_shown: bool = True) -> None:
        """Ask another model, or with other settings, about what nobody has edited."""
        self.stop_preparing()
        if renew_shown or self.working:
            self.masks.segment_shown()
        self.prepare_next()

    def stop_preparing(self) -> None:
        """Stop what is being prepared; an image that somebody waits for is read alone."""
        self.ahead.stop()
        if self.waiting:
            self.go(self.index, self.reason)

    # What is shown.

    @property
    def shown(self) -> ShownImage | None:
        """The image in the viewer; None where there is none."""
        return self._display.shown

    def _show(self, opened: OpenedImage) -> None:
        assert self.folder is not None
        if opened.index != self.index:
            return
        self._finish_shown()  # one could draw on the image before while this one was read
        self._display.show(opened, self.folder.images[opened.index].name)

    def _arrive(self, opened: OpenedImage) -> None:
        if opened.index != self.index:
            return  # another image was asked for meanwhile
        self.message.forget()
        self.arrived.emit()
        self.changed.emit()
        self._tell_damage()
        self._tell_remark(opened)
        self.masks.segment_shown()
        QTimer.singleShot(0, self.prepare_next)

    def _tell_damage(self) -> None:
        if self.folder is not None and self.regions is not None:
            for files in (self.folder.drafts.damaged, self.regions.damaged):
                for sentence in files.take_untold():
                    show_warning(sentence)

    def _tell_remark(self, opened: OpenedImage) -> None:
        """Say what to look out for in the mask, as long as it is shown."""
        trying(_READING_MASK, self)
        if opened.draft is not None and opened.draft.remark:
            warn(opened.draft.remark, _READING_MASK, self)

    # What comes next.

    def prepare_next(self) -> None:
        """Have the images that come next read, and segmented, before they are asked for."""
        folder = self.folder
        if folder is not None and not self.masks.running:
            self.ahead.prepare(folder, self.index, self.masks.maker_on_arrival())

    def _fail_ahead(self, index: int) -> None:
        """Show the image all the same if somebody waits for it: it may be the model that failed."""
        self.masks.on_arrival = False
        self.changed.emit()
        if index == self.index and self.waiting:
            self.go(index)

    def _take_prepared(self, index: int, opened: OpenedImage | str) -> None:
        folder = self.folder
        draft = opened.draft if isinstance(opened, OpenedImage) else None
        if folder is not None and draft and folder.masks.is_news(folder.stems[index], draft):
            self.queue.add(folder, index, Unsaved(draft))
        if index == self.index and self.waiting:
            if isinstance(opened, OpenedImage):
                self._show(opened)
            else:
                trying(_READING_MASK, self)
                self._display.leave()
                self.message.show(opened)
                self.prepare_next()
        self.changed.emit()

    def find(self, stem: str) -> int | None:
        """Return the place of an image by its name in the dataset; None when it is not here."""
        stems = self.folder.stems if self.folder is not None else []
        return stems.index(stem) if stem in stems else None

    @property
    def stem(self) -> str:
        """The name of the shown image in the dataset; empty when none is shown."""
        folder, shown = self.folder, self.shown
        return folder.stems[shown.index] if folder is not None and shown is not None else ""

    @property
    def state(self) -> ImageState | None:
        """How far the work on the image is, with what was drawn since it was saved last."""
        if self.folder is None:
            return None
        if self.shown is not None and self.shown.touched:
            return ImageState.EDITED
        return self.folder.state(self.place)

    @property
    def place(self) -> int:
        """The number of the image that is shown, or that was asked for where none is."""
        return self.shown.index if self.shown is not None else self.index

    @property
    def waiting(self) -> bool:
        """Whether the image that was asked for is not shown yet."""
        here = self.shown is not None and self.shown.index == self.index
        return self.folder is not None and (not here or self._display.running)

    @property
    def reading(self) -> bool:
        """Whether the image that was asked for is to come; the one before is shown until then."""
        return self.waiting and self.ahead.is_reading(self.index)

    @property
    def working(self) -> bool:
        """Whether the shown image is being segmented."""
        return self.masks.works_on_shown
