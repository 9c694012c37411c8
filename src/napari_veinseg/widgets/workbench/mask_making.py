"""Has the masks of a folder made beside the viewer: of the image that is shown, and of the rest."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.drafts import Draft
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.workbench.open_and_segment import (
    MaskMaker,
    segment_pixels,
    segment_rest,
)

if TYPE_CHECKING:
    from napari_veinseg.widgets.workbench.folder_navigation import FolderSession


class MaskMaking(QObject):
    """Asks the chosen model for the masks that nobody has edited."""

    changed = Signal()
    """Work has begun or ended."""

    def __init__(self, session: "FolderSession", chosen: Callable[[], MaskMaker]) -> None:
        super().__init__(session)
        self._session, self._chosen = session, chosen
        self.on_arrival = True
        """Whether an image that needs a mask gets one when it is opened."""
        self._shown = Job("Segmenting", self)
        self.rest = Job("Segmenting the folder", self)
        for job in (self._shown, self.rest):
            job.changed.connect(self.changed)

    @property
    def works_on_shown(self) -> bool:
        """Whether the shown image is being segmented."""
        return self._shown.running

    @property
    def running(self) -> bool:
        """Whether any image is being segmented."""
        return self._shown.running or self.rest.running

    def maker_on_arrival(self) -> MaskMaker | None:
        """Return what makes the mask of an image that is opened; None when nothing shall."""
        if self.on_arrival:
            with reported("Choosing the model", self):
                return self._chosen()
        return None

    def segment_shown(self, *, asked: bool = False) -> None:
        """Segment the shown image if it needs a mask, on arrival or because somebody asked."""
        shown = self._session.shown
        if shown is None or self._session.waiting:
            return
        maker = self._chosen() if asked else self.maker_on_arrival()
        if maker is None:
            return
        self.leave_shown()
        here, pixels = maker.at(self._session.stem, shown.pixels), shown.pixels
        if here.must_segment(shown.draft()):
            self._shown.start(lambda reporter: segment_pixels(pixels, here, reporter), self._show)

    def _show(self, draft: Draft) -> None:
        session = self._session
        if session.folder is None or session.shown is None:
            return
        now = session.shown.draft()
        if now is not None and now.edited is not None:
            return  # somebody has drawn meanwhile: that counts
        session.shown.show_draft(draft)
        session.arrived.emit()
        session.keep(session.folder, session.shown, draft)
        if not draft.mask.any():
            session.message.show("No vein was found: lower the threshold, or give the vein width.")
        session.prepare_next()

    def segment_all(
        self, done: Callable[[int, list[str]], None], news: Callable[[object], None]
    ) -> None:
        """Segment every image that needs it, beside the viewer.

        `done` gets the number of those that were, and why others were not.
        """
        folder, index = self._session.folder, self._session.index
        if folder is None:
            return
        self._session.stop_preparing()
        self.segment_shown(asked=True)
        maker, shown = self._chosen(), int(self.works_on_shown)
        self.rest.start(
            lambda reporter: segment_rest(folder, index, maker, reporter),
            lambda others: done(others[0] + shown, others[1]),
            news,
        )

    def leave_shown(self) -> None:
        """Stop the work on the image that was shown."""
        self._shown.abandon()

    def leave_folder(self) -> None:
        """Stop all work."""
        self._shown.abandon()
        self.rest.abandon()
