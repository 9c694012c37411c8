"""What the tabs are told of the open folder and its image, and what they lay over that image."""

from napari.layers import Image, Labels
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_veinseg.correction.drafts import model_region
from napari_veinseg.segmentation.region import Region
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.masks.showing import fit_view
from napari_veinseg.widgets.segment.region_controls import RegionHome
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.widgets.workbench.on_screen import OnScreen
from napari_veinseg.widgets.workbench.workbench_tabs import WorkbenchTabs


class TabsFollowFolder(QObject):
    """Keeps four tabs at the folder and the image of one session."""

    def __init__(self, tabs: WorkbenchTabs, session: FolderSession, on_screen: OnScreen) -> None:
        super().__init__(tabs)
        self._tabs, self._session, self._on_screen = tabs, session, on_screen
        self._followed = ""  # the name of the image that the tabs know of
        session.where_to.finger_pattern = tabs.train.dataset.names.finger_pattern
        session.uncover = self.uncover
        tabs.correct.find_pair = self._find_pair
        tabs.segment.region.find_home = self._find_regions
        tabs.segment.region.say_effect = self._say_effect
        tabs.segment.region.changed.connect(self._follow_region)
        tabs.segment.model.model_changed.connect(self.suggest_model)
        tabs.evaluate.on_dataset.can_correct = lambda stem: session.find(stem) is not None
        tabs.evaluate.on_dataset.asked_for.connect(self._correct)
        tabs.train.dataset.names.changed.connect(self._share_fingers)
        tabs.currentChanged.connect(self._follow_tab)
        session.opened.connect(self._follow_folder)
        session.arrived.connect(self._follow_image)
        on_screen.changed.connect(self.suggest_model)
        self._follow_folder()

    # The folder.

    def _follow_folder(self) -> None:
        """Give the tabs the folder's dataset, so that nobody types it again."""
        tabs, folder = self._tabs, self._session.folder
        self._followed = ""  # another folder may have an image of that name
        tabs.correct.hold_image(folder is not None)
        tabs.segment.hold_image(folder is not None)
        tabs.segment.region.show()
        tabs.train.dataset.hold(folder.home if folder is not None else None)
        if folder is not None:
            tabs.correct.reviewing.folder.setText(str(folder.home))
            tabs.evaluate.on_dataset.dataset.setText(str(folder.home))
            tabs.segment.model.choose_installed(folder.drafts.last_model())

    def _share_fingers(self) -> None:
        if self._session.folder is not None:  # else the tabs may have two datasets
            self._tabs.evaluate.on_dataset.fingers.follow(self._tabs.train.dataset.names)

    # The image.

    def _follow_image(self) -> None:
        """Tell the tabs that the same layers show something else."""
        tabs, session = self._tabs, self._session
        if session.stem != self._followed:
            self._close_opened()
            for tab in (tabs.segment, tabs.correct):
                tab.trouble.clear()  # it was of the image before
            if session.shown is not None:
                tabs.segment.leave_image(session.shown.image)
            if tabs.correct.doubtful_places.take_camera_moved():
                fit_view(tabs.segment.viewer)  # a place of doubt is nothing in another image
        self._followed = session.stem
        tabs.correct.follow_data()
        tabs.segment.mask.masks.refresh()
        tabs.segment.mask.show_mask()
        tabs.segment.region.show()
        self.suggest_model()

    def suggest_model(self) -> None:
        """Say which model the image asks for."""
        self._tabs.segment.suggestion.show_for(self._on_screen.image, self._on_screen.mask)

    def _find_pair(self) -> tuple[Image | None, Labels | None]:
        """Return the image that a new mask is for; in a folder, with the mask to be emptied."""
        if self._session.folder is None:
            return self._tabs.correct.image_choice.layer, None
        return self._on_screen.image, self._on_screen.mask

    def _follow_region(self) -> None:
        """Segment anew where that takes no edits away, or say that it must be asked for."""
        self._session.follow_model()
        self._tabs.segment.region.tell()

    def _find_regions(self, image: Image | None) -> RegionHome | None:
        session = self._session
        is_shown = session.shown is not None and session.shown.image is image
        return (session.regions, session.stem) if session.regions and is_shown else None

    def _say_effect(self, region: Region | None) -> str:
        """Say whether the mask was made with a region, or how it can be."""
        mask, wanted = self._on_screen.mask, str(region or "")
        if self._session.working and self._on_screen.other is None:
            return ""
        if mask is None:
            return "Press Segment to apply it" if wanted else ""
        record = record_of(mask)
        if model_region(record.notes.model) == wanted:
            return "Outside it, no vein" if wanted else ""
        if record.edits.edited.all():
            return "The mask stays as it was reviewed"
        return f"Press Segment to {'apply it' if wanted else 'search the whole image'}"

    # What lies over it.

    def uncover(self) -> bool:
        """Show the image of the folder again, and say whether another one lay over it."""
        if self._on_screen.other is None:
            return False
        self._clear_image()
        if self._session.shown is not None:
            self._session.shown.show_alone()
        return True

    def _follow_tab(self, _index: int) -> None:
        if self._session.folder is None:
            return
        shown = self._tabs.currentWidget()
        if shown is self._tabs.train:
            self._tabs.train.dataset.refresh()
        self._clear_image(but_for=shown)

    def _clear_image(self, but_for: QWidget | None = None) -> None:
        """Take what the tabs have opened off the image of the folder, and show it whole."""
        if self._close_opened(but_for):
            fit_view(self._tabs.segment.viewer)
            if self._session.shown is not None:
                self._session.shown.take_active()

    def _close_opened(self, but_for: QWidget | None = None) -> bool:
        """Close what another tab than this one has opened, and say whether there was any."""
        train, evaluate = self._tabs.train, self._tabs.evaluate
        views = ((train, train.comparison.masks), (evaluate, evaluate.on_dataset))
        closed = [view.close_opened() for tab, view in views if tab is not but_for]  # each of them
        return any(closed)

    def _correct(self, stem: str) -> None:
        """Leave an image that an evaluation has opened for the same one of the folder."""
        index = self._session.find(stem)
        if index is not None:
            self._session.go(index)
            self._tabs.show_tab("Correct")
