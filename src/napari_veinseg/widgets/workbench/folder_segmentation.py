"""The section of Segment that concerns the open folder: on arrival, and all the rest at once."""

from qtpy.QtWidgets import QCheckBox

from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.widgets.common.form import Hint, Section, button
from napari_veinseg.widgets.common.jobs import Step
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.wording import counted

_ALL = "Segment all images now"


class FolderRun(Section):
    """Segments images when they are opened, or all that are left beside the viewer."""

    def __init__(self, session: FolderSession) -> None:
        super().__init__("This folder")
        self._session = session
        self.on_arrival = QCheckBox("Segment an image when it is opened")
        self.on_arrival.setChecked(session.masks.on_arrival)
        self.rest = button(
            _ALL,
            "Segment every image of the folder that nobody has edited or reviewed, beside the "
            "viewer; go on with your work meanwhile.",
        )
        self.status = Hint()
        self.add_wide(
            self.on_arrival,
            "An image without a mask, or with one of another model that nobody edited, gets its "
            "mask at once.",
        )
        self.add_wide(self.rest)
        self.add_wide(self.status)
        self.on_arrival.toggled.connect(self._switch)
        self.rest.clicked.connect(self._press)
        session.opened.connect(self.refresh)
        session.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how many images of a folder have no mask, and whether they are being segmented."""
        running, folder = self._session.masks.rest.running, self._session.folder
        self.setVisible(folder is not None)
        without = folder.states.count(ImageState.NEW) if folder is not None else 0
        text = f"{_ALL} ({without} without a mask)" if without else _ALL
        self.rest.setText("Cancel" if running else text)
        self.status.setVisible(running)

    def _switch(self, on: bool) -> None:
        self._session.masks.on_arrival = on
        if on:
            self._session.follow_model()

    def _press(self) -> None:
        if self._session.masks.rest.running:
            self._session.masks.rest.cancel()
        else:
            self._session.masks.segment_all(self._end, self._hear)

    def _end(self, count: int) -> None:
        self._session.ahead.forget()
        folder = self._session.folder
        faulty = folder.states.count(ImageState.FAULTY) if folder is not None else 0
        said = f"{_images(count)} segmented." if count else "Every image had its mask already."
        if faulty:
            others = f"{_images(count)} segmented" if count else "No other image needed a mask"
            said = f"{others}; {_images(faulty)} faulty and left out."
        self._session.message.tell_done(said)

    def _hear(self, news: object) -> None:
        if isinstance(news, Step) and news.total:
            self.status.setText(f"{news.text} ({news.done + 1} of {news.total})")


def _images(count: int) -> str:
    return counted(count, "image was", "images were")
