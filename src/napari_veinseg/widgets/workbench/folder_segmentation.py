"""The section of Segment that concerns the open folder: on arrival, all at once, as files."""

from pathlib import Path

from qtpy.QtWidgets import QCheckBox, QFileDialog
from superqt.utils import signals_blocked

from napari_veinseg.correction.export_masks import export_masks, exported_files
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.widgets.common.asking import may_replace
from napari_veinseg.widgets.common.form import Hint, Section, button
from napari_veinseg.widgets.common.jobs import Job, Reporter, Step
from napari_veinseg.widgets.common.notify import remember_done
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.wording import counted, listed

_ALL = "Segment all images now"


class FolderSegmentation(Section):
    """Segments images when they are opened, or all that are left beside the viewer."""

    def __init__(self, session: FolderSession) -> None:
        super().__init__("This folder")
        self._session = session
        self.on_arrival = QCheckBox("Segment an image when it is opened")
        self.rest = button(
            _ALL,
            "Segment every image of the folder that nobody has edited or reviewed, beside the "
            "viewer; go on with your work meanwhile.",
        )
        self.files = button(
            "Save all masks as files…",
            "Write the mask of each image, as it is now, to a folder of your choice, with a table "
            "that says which are reviewed.",
        )
        self.status = Hint()
        self._job = Job("Saving all masks as files", self)
        self.add_wide(
            self.on_arrival,
            "An image without a mask, or with one of another model that nobody edited, gets its "
            "mask at once.",
        )
        self.add_wide(self.rest)
        self.add_wide(self.files)
        self.add_wide(self.status)
        self.on_arrival.toggled.connect(self._switch)
        self.rest.clicked.connect(self._press)
        self.files.clicked.connect(self._save_files)
        self._job.changed.connect(self.refresh)
        session.opened.connect(self.refresh)
        session.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how many images of a folder have no mask, and whether they are being segmented."""
        running, folder = self._session.masks.rest.running, self._session.folder
        self.setVisible(folder is not None)
        with signals_blocked(self.on_arrival):
            self.on_arrival.setChecked(self._session.masks.on_arrival)
        without = folder.count(ImageState.NEW) if folder is not None else 0
        text = f"{_ALL} ({without} without a mask)" if without else _ALL
        self.rest.setText("Cancel" if running else text)
        self.status.setVisible(running)
        has_masks = folder is not None and without < len(folder)
        self.files.setEnabled(has_masks and not running and not self._job.running)

    def _switch(self, on: bool) -> None:
        self._session.masks.on_arrival = on
        if on:
            self._session.follow_model()

    def _press(self) -> None:
        if self._session.masks.rest.running:
            self._session.masks.rest.cancel()
        else:
            self._session.masks.segment_all(self._end, self._hear)

    def _end(self, count: int, refused: list[str]) -> None:
        self._session.ahead.forget()
        folder = self._session.folder
        faults = {}
        if folder is not None:
            faults = {folder.images[at].name: why for at, why in sorted(folder.faults.items())}
        all_is_well = not faults and not refused
        none = "Every image had its mask already" if all_is_well else "No other image needed a mask"
        said = [f"{_images(count)} segmented" if count else none]
        if faults:
            said.append(f"{_images(len(faults))} faulty and left out ({listed([*faults])})")
        if refused:
            said.append(f"{_images(len(refused))} refused. {refused[0].rstrip('.')}")
        self._tell(f"{'; '.join(said)}.", *faults.values())

    def _tell(self, done: str, *reasons: str) -> None:
        self._session.message.tell_done(done)
        remember_done("\n".join((done, *reasons)))  # it may have taken an hour

    def _save_files(self) -> None:
        """Write all masks to a folder, beside the viewer; what would be replaced is asked about."""
        folder = self._session.folder
        if folder is None:
            return
        beside = str(folder.path.parent)
        chosen = QFileDialog.getExistingDirectory(self, "Folder for the masks", beside)
        if not chosen:
            return
        output = Path(chosen)
        self._session.save()
        if not may_replace(self, exported_files(folder, output)):
            return

        def work(reporter: Reporter) -> int:
            def tell(done: int, name: str) -> None:
                reporter.tell(Step(done, len(folder), f"Saving the mask of {name}"))

            return export_masks(folder, output, tell)

        def end(count: int) -> None:
            missing = len(folder) - count
            left_out = f"; {counted(missing, 'image has', 'images have')} none" if missing else ""
            self._tell(f"{counted(count, 'mask')} saved in {output}{left_out}.")

        self._job.start(work, end)

    def _hear(self, news: object) -> None:
        if isinstance(news, Step) and news.total:
            self.status.setText(str(news))


def _images(count: int) -> str:
    return counted(count, "image was", "images were")
