"""The line at the foot of the workbench: device, model, vein width, and the button that goes on."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QWidget

from napari_veinseg.correction.drafts import DraftNotes
from napari_veinseg.widgets.common.device_in_use import DeviceInUse
from napari_veinseg.widgets.common.focus import FocusKeeper
from napari_veinseg.widgets.common.form import Hint, button, column, row
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.widgets.workbench.learning import LearningBeside
from napari_veinseg.widgets.workbench.learning_controls import LearningControls
from napari_veinseg.widgets.workbench.on_screen import OnScreen
from napari_veinseg.widgets.workbench.past_notices import PastNotices
from napari_veinseg.wording import capitalised

REVIEWED_KEY = "R"


class StatusLine(QWidget):
    """Says what masks are made with, or what just happened."""

    def __init__(
        self, session: FolderSession, learning: LearningBeside, on_screen: OnScreen
    ) -> None:
        super().__init__()
        self._session, self._learning, self._on_screen = session, learning, on_screen
        self.shown_model: str | None = None
        self._device = DeviceInUse(self)
        self._device.changed.connect(self.refresh)
        self.facts = Hint()
        self.facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.facts.setMinimumHeight(2 * self.facts.fontMetrics().lineSpacing() + 12)
        self.reviewed = button(
            f"Reviewed, next ({REVIEWED_KEY})",
            "Store this image and its mask in the dataset as reviewed, and go to the next one.",
            primary=True,
        )
        self.notices = button("Notices", "Read again what was told in notices that are gone.")
        self.notices.clicked.connect(self.show_notices)
        self.beside = LearningControls(learning)
        first = row(self.facts, self.notices)
        first.setAlignment(self.notices, Qt.AlignmentFlag.AlignTop)
        rows = column(self, self.beside, self.reviewed, spacing=4, margins=(10, 5, 10, 8))
        rows.insertLayout(0, first)
        self._focus = FocusKeeper(self)
        session.changed.connect(self.refresh)
        on_screen.changed.connect(self.refresh)

    def show_model(self, name: str | None) -> None:
        """Name the model that masks are made with."""
        self.shown_model = name
        self.refresh()

    def show_notices(self) -> QDialog:
        """Open the list of what was told."""
        opened = PastNotices(self)
        opened.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        opened.open()
        return opened

    def refresh(self) -> None:
        """Show what is known of the image on the screen."""
        session, mask = self._session, self._on_screen.mask if self._session.folder else None
        device = [self._device.short_text()]
        notes = record_of(mask).notes if mask is not None else DraftNotes()
        if notes.vein_width > 0:
            device.append(f"vein width {notes.vein_width:.1f} px")
        facts = "\n".join([" · ".join(device), self._describe_model(notes.model)])
        of_another = self._on_screen.other is not None and not session.message.passing
        message = "" if of_another else session.message.text
        self.facts.setText(message or facts)
        self.facts.setToolTip(f"{message}\n{facts}\n{self._device.text()}".strip())
        self.reviewed.setVisible(session.folder is not None)
        self.reviewed.setEnabled(mask is not None or self._on_screen.other is not None)

    def _describe_model(self, made_by: str) -> str:
        """Say what has made the mask, or else what would make one."""
        errors = self._on_screen.errors
        if errors is not None:
            return f"Errors: {errors.name}"
        if made_by:
            model = self._learning.describe_model(made_by)
        else:
            model = f"model: {self.shown_model}" if self.shown_model else ""
        return capitalised(model)
