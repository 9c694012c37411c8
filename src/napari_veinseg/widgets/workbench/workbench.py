"""The workbench: from a folder of images to a reviewed dataset and a better model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import napari
from qtpy.QtCore import QEvent, QSize
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QDockWidget, QLabel, QSizePolicy, QWidget

from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.train import configure
from napari_veinseg.widgets.common import first_drawing
from napari_veinseg.widgets.common.canvas import LayersGoSafely
from napari_veinseg.widgets.common.form import column
from napari_veinseg.widgets.common.key_bindings import KeyBindings
from napari_veinseg.widgets.common.last_failure import LastFailure
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.preferences import preferences
from napari_veinseg.widgets.common.style import style_sheet
from napari_veinseg.widgets.common.warm_up import read_units
from napari_veinseg.widgets.workbench import navigation_bar, status_line, view_controls
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.widgets.workbench.folder_segmentation import FolderSegmentation
from napari_veinseg.widgets.workbench.learning import LearningBeside
from napari_veinseg.widgets.workbench.navigation_bar import NavigationBar
from napari_veinseg.widgets.workbench.on_screen import OnScreen
from napari_veinseg.widgets.workbench.open_and_segment import MaskMaker
from napari_veinseg.widgets.workbench.shared_model import SharedModel
from napari_veinseg.widgets.workbench.status_line import StatusLine
from napari_veinseg.widgets.workbench.tabs_follow_folder import TabsFollowFolder
from napari_veinseg.widgets.workbench.view_controls import ViewControls
from napari_veinseg.widgets.workbench.workbench_tabs import WorkbenchTabs

WIDTH = 380
TITLE = "Vein segmentation"
_SAVING = "Saving the mask"
_ROOMY = 760  # px of height, from which on there is room for a curve below the tabs


class Workbench(QWidget):
    """Four tabs over one folder, one image, one mask and one model."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        first_drawing.start()
        read_units()  # before a worker makes a layer
        self.moving = self.closed = False
        self.tabs = WorkbenchTabs(viewer)
        self.segment, self.correct = self.tabs.segment, self.tabs.correct
        self.train, self.evaluate = self.tabs.train, self.tabs.evaluate
        self.viewer = self.segment.viewer
        self._layers_go_safely = LayersGoSafely(self.viewer, self)
        self.session = FolderSession(self.viewer, self._mask_maker)
        self.session.setParent(self)
        self.on_screen = OnScreen(self.viewer, self.session)
        self.strip = NavigationBar(self.session, self.on_screen)
        self.seeing = ViewControls(
            self.viewer, lambda: self.on_screen.image, lambda: self.on_screen.mask
        )
        self.learning = LearningBeside(self.session, self._learning_config)
        self.trouble = LastFailure(self)  # of what concerns no tab
        self._unsaved = ""
        self.status = StatusLine(self.session, self.learning, self.on_screen)
        self.folder_run = FolderSegmentation(self.session)
        self.segment.add(self.folder_run, 0)
        self._lay_out()
        self._share()
        self.keys = KeyBindings(self.viewer)
        self.keys.bind(self._actions())
        self.segment.closing.connect(self.close_down)
        self._restyle()
        self.segment.restyled.connect(self._restyle)

    def settle_in_dock(self) -> None:
        """Be seen in a new dock, and give it one title, whichever entry of the menu opened it."""
        dock = self.parent()
        if dock is not None:
            self.show()  # without a dock it would come as a window
        if isinstance(dock, QDockWidget):
            dock.setWindowTitle(TITLE)
            for label in dock.titleBarWidget().findChildren(QLabel):  # napari draws its own bar
                label.setText(TITLE)

    def sizeHint(self) -> QSize:  # noqa: N802  (Qt's name)
        """Return the size that the dock opens with."""
        return QSize(WIDTH, 700)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  (Qt's name)
        """Leave the tabs enough height."""
        super().resizeEvent(event)
        self.status.beside.give_room(self.height() >= _ROOMY)

    def _lay_out(self) -> None:
        for part in (self.strip, self.seeing):
            part.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        rows = column(self, self.strip, self.seeing, spacing=0)
        rows.addWidget(self.tabs, 1)
        rows.addWidget(self.trouble)
        rows.addWidget(self.status)

    def _share(self) -> None:
        """Let what is chosen in one tab hold in all."""
        choices = [self.segment.model, *self.correct.findChildren(ModelChoice)]
        self.model = SharedModel(
            choices,
            self.train.base,
            self.evaluate.on_dataset.models,
            self.session,
            self.learning,
            self.status,
        )
        for options in (self.train.form.options, self.evaluate.on_dataset.options):
            options.follow(self.segment.options)
        self.segment.options.changed.connect(self.session.follow_model)
        self.segment.options.invert.toggled.connect(self.correct.invert.setChecked)
        self.segment.vein_width.editingFinished.connect(self.session.follow_model)
        self.segment.identify = self._identify
        self.segment.update_mask.setChecked(True)
        self.follower = TabsFollowFolder(self.tabs, self.session, self.on_screen)
        # Behind the choice of the folder's own model, which is no wish against its versions.
        self.session.opened.connect(self.learning.follow_folder)
        self.correct.autosaver.adopted.connect(self.session.save)
        self.correct.autosaver.adopted.connect(self.session.queue.flush)
        self.segment.segmented.connect(self.segment.region.tell)
        self.segment.segmented.connect(self.follower.suggest_model)
        self.train.dataset.names.changed.connect(self._name_fingers)
        self.session.arrived.connect(self.seeing.apply)
        self.on_screen.changed.connect(self.seeing.apply)
        self.on_screen.changed.connect(self.session.message.drop_passing)
        self.status.reviewed.clicked.connect(self.review)
        self.session.queue.changed.connect(self._tell_unsaved)
        self._tell_unsaved()

    def _tell_unsaved(self) -> None:
        """Say, as long as it is so, that masks could not be written."""
        text = self.session.queue.trouble_text
        if text == self._unsaved:  # it is tried again every few seconds
            return
        self._unsaved = text
        if text:
            self.trouble.tell(_SAVING, text)
        else:
            self.trouble.forget(_SAVING)

    def _name_fingers(self) -> None:
        if self.session.folder is not None:
            self.learning.name_fingers(self.train.dataset.names.finger_pattern())

    def _learning_config(self, dataset: Path) -> TrainingConfig:
        settings = self.segment.settings()
        return configure(
            dataset,
            base=self.segment.model.path,
            watch=True,
            channel=settings.channel,
            invert=settings.invert,
            finger_pattern=self.train.dataset.names.finger_pattern(),
            device=preferences().device,
        )

    def _mask_maker(self) -> MaskMaker:
        model = self.segment.model
        settings = self.segment.settings()
        return MaskMaker(model.path, model.name or "", settings, self.session.regions)

    def _identify(self, settings: SegmentationSettings) -> str:
        """Name what makes a mask that is asked for by hand."""
        return replace(self._mask_maker(), settings=settings).identity

    def review(self) -> None:
        """Store the shown image as reviewed; in a folder, go on to the next."""
        with reported("Storing the mask", self):
            if self.session.folder is None:
                self.correct.reviewing.reviewed.click()
                return
            if self.session.shown is None:
                raise VeinSegError("There is no image to review: choose another in the strip.")
            if self.follower.uncover():
                self.session.message.tell_done(
                    "Another image lay over this one: look, then review it."
                )
            else:
                self.session.review()

    def _actions(self) -> dict[str, Callable[[], object]]:
        session = self.session
        return {
            navigation_bar.NEXT_KEY: lambda: session.where_to.step(1),
            navigation_bar.PREVIOUS_KEY: lambda: session.where_to.step(-1),
            navigation_bar.UNREVIEWED_KEY: session.where_to.go_to_unreviewed,
            navigation_bar.DOUBTFUL_KEY: session.where_to.go_to_most_doubtful,
            view_controls.ENHANCE_KEY: self.seeing.enhance.toggle,
            view_controls.OUTLINE_KEY: self.seeing.outline.toggle,
            view_controls.BLINK_KEY: self.seeing.blink.toggle,
            view_controls.FAINTER_KEY: lambda: self.seeing.fade(-1),
            view_controls.STRONGER_KEY: lambda: self.seeing.fade(1),
            status_line.REVIEWED_KEY: self.review,
        }

    def _restyle(self) -> None:
        self.setStyleSheet(style_sheet(self.viewer.theme))

    # The end.

    def close_down(self) -> None:
        """Save what was changed and stop all work: the viewer or the dock is being closed."""
        self.closed = True
        self.learning.close()
        self.session.blockSignals(True)  # the parts that would hear it may be gone
        # Napari collects garbage at each layer that goes: half a second, in a viewer that ends.
        self.session.close(keep_layers=self.segment.viewer_closed)
        self.seeing.stop()
        self.keys.release()

    def event(self, event: QEvent | None) -> bool:
        """Close when taken out of the dock for good, not when moved to another."""
        moved = event is not None and event.type() == QEvent.Type.ParentChange
        if moved and self.parent() is None and not self.moving:
            for panel in self.tabs.panels().values():
                panel.closing.emit()
            self.deleteLater()
        return super().event(event)
