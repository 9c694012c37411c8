"""Has the masks of a folder made beside the viewer: of the image that is shown, and of the rest."""

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.drafts import Draft
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.workbench.preparing import MaskMaker, segment_pixels, segment_rest
from napari_veinseg.widgets.workbench.shown_image import ShownImage


class MaskMaking(QObject):
    """Asks the chosen model for the masks that nobody has edited."""

    changed = Signal()
    """Work has begun or ended."""

    def __init__(self, parent: QObject, chosen: Callable[[], MaskMaker | None]) -> None:
        super().__init__(parent)
        self._chosen = chosen
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
            with reported("Choosing the model"):
                return self._chosen()
        return None

    def segment_shown(
        self, stem: str, shown: ShownImage, done: Callable[[Draft], None], *, asked: bool = False
    ) -> None:
        """Segment the shown image if it needs a mask, on arrival or because somebody asked."""
        maker = self._chosen() if asked else self.maker_on_arrival()
        if maker is None:
            return
        self.leave_shown()
        here, pixels = maker.at(stem, shown.pixels), shown.pixels
        if here.must_segment(shown.draft()):
            self._shown.start(lambda reporter: segment_pixels(pixels, here, reporter), done)

    def segment_rest(
        self,
        folder: ImageFolder,
        shown: int,
        done: Callable[[int], None],
        news: Callable[[object], None],
    ) -> None:
        """Segment all other images that need it; `done` gets their number."""
        maker = self._chosen()
        if maker is not None:
            self.rest.start(
                lambda reporter: segment_rest(folder, {shown}, maker, reporter), done, news
            )

    def leave_shown(self) -> None:
        """Stop the work on the image that was shown."""
        self._shown.abandon()

    def leave_folder(self) -> None:
        """Stop all work."""
        self._shown.abandon()
        self.rest.abandon()
