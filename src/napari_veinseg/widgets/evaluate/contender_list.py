"""The list of what is compared: installed models, and folders of masks that were added."""

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_veinseg.model.store import installed_models
from napari_veinseg.widgets.common.form import fit_rows

_PATH = Qt.ItemDataRole.UserRole
_TICKED, _UNTICKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked
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
            item.setCheckState(_TICKED)

    def refresh(self) -> None:
        """Read the installed models anew, keeping the folders and the ticks."""
        known = {item.data(_PATH): item.checkState() for item in self._items()}
        self.clear()
        for number, model in enumerate(installed_models()):
            tick = _TICKED if number == 0 and not known else _UNTICKED
            self._add(model.name, model.path, known.get(model.path, tick))
        for folder in self._folders:
            item = self._add(f"masks in {folder.name}", folder, known.get(folder, _TICKED))
            item.setToolTip(str(folder))
        fit_rows(self, _ROWS)

    def add_folder(self, folder: Path) -> None:
        """Offer a folder of masks, ticked."""
        if folder not in self._folders:
            self._folders.append(folder)
        self.refresh()

    def models(self) -> list[Path]:
        """Return the files of the ticked models."""
        return [path for path in self._ticked() if path not in self._folders]

    def folders(self) -> list[Path]:
        """Return the ticked folders of masks."""
        return [path for path in self._ticked() if path in self._folders]

    def showEvent(self, event: object) -> None:  # noqa: N802  (Qt's name)
        """Show also what was installed meanwhile."""
        super().showEvent(event)
        self.refresh()

    def _add(self, name: str, path: Path, state: Qt.CheckState) -> QListWidgetItem:
        item = QListWidgetItem(name)
        item.setData(_PATH, path)
        item.setCheckState(state)
        self.addItem(item)
        return item

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _ticked(self) -> list[Path]:
        return [item.data(_PATH) for item in self._items() if item.checkState() == _TICKED]
