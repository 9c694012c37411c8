"""The strip at the top of the workbench: which folder, which image, how far it is, and where to."""

from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.widgets.common.elided import NameButton, NameLabel
from napari_veinseg.widgets.common.form import Hint, button, column, explain, row
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.widgets.workbench.on_screen import OnScreen
from napari_veinseg.widgets.workbench.recent_folders import recent_folders

NEXT_KEY, PREVIOUS_KEY, UNREVIEWED_KEY, DOUBTFUL_KEY = ".", ",", "J", "Shift-J"


class NavigationBar(QWidget):
    """Shows where the session is, and leads it elsewhere."""

    def __init__(self, session: FolderSession, on_screen: OnScreen) -> None:
        super().__init__()
        self._session, self._on_screen = session, on_screen
        self.folder = NameButton()
        explain(self.folder, "Choose a folder of images, or one that was open before.")
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.folder.clicked.connect(self.choose_folder)  # where nothing can be chosen in a menu
        self.previous = _step_button("<", f"The image before (key {PREVIOUS_KEY} ).")
        self.next = _step_button(">", f"The next image (key {NEXT_KEY} ).")
        self.number = QSpinBox()
        explain(self.number, "Which image of the folder is shown; type a number to go there.")
        self.number.setAccessibleName("Image number")
        self.number.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.number.setKeyboardTracking(False)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.total = QLabel()
        self.name, self.state = NameLabel(), QLabel()
        self.state.setProperty("role", "state")
        self.reason = Hint()
        self.unreviewed = button(
            f"Next unreviewed ({UNREVIEWED_KEY})", "Go to the next image that is not reviewed yet."
        )
        self.doubtful = button(
            "Most doubtful (⇧J)",
            "Go to the unreviewed image that the model is least certain about and that is unlike "
            "those reviewed already.",
        )
        self._lay_out()
        self.previous.clicked.connect(lambda: session.where_to.step(-1))
        self.next.clicked.connect(lambda: session.where_to.step(1))
        self.unreviewed.clicked.connect(session.where_to.go_to_unreviewed)
        self.doubtful.clicked.connect(session.where_to.go_to_most_doubtful)
        self.number.valueChanged.connect(lambda value: session.go(value - 1))
        session.changed.connect(self.refresh)
        on_screen.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self.places = QWidget()
        column(self, self.folder, self.places, spacing=5, margins=(10, 8, 10, 2))
        inner = column(self.places, spacing=5)
        which = (self.previous, self.number, self.total, self.next, self.name, self.state)
        image = row(*which, stretch=(0, 0, 0, 0, 1), spacing=5)
        image.insertSpacing(4, 4)
        inner.addLayout(image)
        inner.addLayout(row(self.unreviewed, self.doubtful, stretch=(1, 1)))
        inner.addWidget(self.reason)

    def refresh(self) -> None:
        """Show where the session is now."""
        session, folder = self._session, self._session.folder
        self.places.setVisible(folder is not None)
        self.folder.setMenu(self.menu if folder is not None or recent_folders() else None)
        if session.opening:
            self.folder.show_name(f"Opening {session.opening}", "/…")
        elif folder is None:
            self.folder.show_name("Open a folder of images")
        else:
            reviewed = folder.count(ImageState.REVIEWED)
            self.folder.show_name(folder.path.name, f"/   {reviewed} of {len(folder)} reviewed")
        if folder is None:
            return
        self.folder.setToolTip(f"{folder.path}\nMasks are kept in {folder.home}.")
        self.number.setFixedWidth(self.fontMetrics().horizontalAdvance(str(len(folder))) + 22)
        self.total.setText(f"of {len(folder)}")
        other, here = self._on_screen.other, folder.images[session.place].name
        with signals_blocked(self.number):
            self.number.setRange(1 if other is None else 0, len(folder))
            self.number.setSpecialValueText("" if other is None else "-")  # stands for the least
            self.number.setValue(session.place + 1 if other is None else 0)
        shown = here if other is None else other.name
        self.name.show_name(shown)
        self.state.setText(self._describe_state())
        what = "Opened to show errors" if self._on_screen.is_judged else "Not of this folder"
        reason = "" if session.waiting else session.reason
        self.reason.say(reason if other is None else f"{what}: < and > lead back to {here}.")

    def _describe_state(self) -> str:
        session = self._session
        if session.reading:  # until it is there, the strip names what is seen
            doing = "preparing" if session.ahead.is_preparing(session.index) else "reading"
            return f"{doing} {session.index + 1}…" if session.shown is not None else f"{doing}…"
        working = session.working and self._on_screen.other is None
        return "segmenting…" if working else self._on_screen.state

    def choose_folder(self) -> None:
        """Ask for a folder and open it."""
        start = next(iter(recent_folders()), Path.home())
        chosen = QFileDialog.getExistingDirectory(self, "A folder of images", str(start))
        if chosen:
            self._session.open(Path(chosen))

    def _fill_menu(self) -> None:
        self.menu.clear()
        self.menu.addAction("Open a folder…").triggered.connect(self.choose_folder)
        recent = recent_folders()
        if recent:
            self.menu.addSeparator()
        for folder in recent:
            action = self.menu.addAction(f"{folder.name}   ({folder.parent})")
            action.triggered.connect(partial(self._open_recent, folder))
        if self._session.folder is not None:
            self.menu.addSeparator()
            action = self.menu.addAction("Close the folder, work on open layers")
            action.triggered.connect(lambda _checked=False: self._session.close())

    def _open_recent(self, folder: Path, _checked: bool = False) -> None:
        self._session.open(folder)


def _step_button(text: str, tooltip: str) -> QPushButton:
    made = button(text, tooltip)
    made.setFixedWidth(30)
    made.setAccessibleName(tooltip.split(" (")[0])
    return made
