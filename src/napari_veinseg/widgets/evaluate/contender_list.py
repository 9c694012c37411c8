"""The list of what is compared: installed models, and folders of masks that were added."""

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_veinseg.model.store import installed_models
from napari_veinseg.widgets.common.form import fit_rows

_FILE, _FOLDER = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_ROWS = 5


class ContenderList(QListWidget):
    """Models and folders of masks, each with a box to tick."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabKeyNavigation(False)
        self._folders: list[Path] = []
        self.refresh()

    def tick(self, name: str) -> None:
        """Tick a model, also one that was just installed."""
        self.refresh()
        for item in self.findItems(name, Qt.MatchFlag.MatchExactly):
            item.setCheckState(Qt.CheckState.Checked)

    def refresh(self) -> None:
        """Read the installed models anew, keeping the folders and the ticks."""
        known = {item.text(): item.checkState() for item in self._items()}
        self.clear()
        for number, model in enumerate(installed_models()):
            item = self._add(model.name, known.get(model.name, _tick(number == 0 and not known)))
            item.setData(_FILE, model.path)
        for folder in self._folders:
            name = f"masks in {folder.name}"
            item = self._add(name, known.get(name, _tick(True)))
            item.setData(_FOLDER, folder)
            item.setToolTip(str(folder))
        fit_rows(self, _ROWS)

    def add_folder(self, folder: Path) -> None:
        """Offer a folder of masks, ticked."""
        if folder not in self._folders:
            self._folders.append(folder)
        self.refresh()

    def models(self) -> list[Path]:
        """Return the files of the ticked models."""
        return [item.data(_FILE) for item in self._ticked() if item.data(_FILE)]

    def folders(self) -> list[Path]:
        """Return the ticked folders of masks."""
        return [item.data(_FOLDER) for item in self._ticked() if item.data(_FOLDER)]

    def showEvent(self, event: object) -> None:  # noqa: N802  (Qt's name)
        """Show also what was installed meanwhile."""
        super().showEvent(event)
        self.refresh()

    def _add(self, name: str, state: Qt.CheckState) -> QListWidgetItem:
        item = QListWidgetItem(name)
        item.setCheckState(state)
        self.addItem(item)
        return item

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _ticked(self) -> list[QListWidgetItem]:
        return [item for item in self._items() if item.checkState() == Qt.CheckState.Checked]


def _tick(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
