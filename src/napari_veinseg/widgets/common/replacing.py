"""Asks before files that are there already are replaced."""

import time
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QMessageBox, QWidget

from napari_veinseg.wording import listed


def may_replace(parent: QWidget, files: Sequence[Path]) -> bool:
    """Ask whether the files that exist may be replaced; nothing is asked where none does."""
    there = [each for each in files if each.exists()]
    if not there:
        return True
    names = listed([each.name for each in there])
    when = time.strftime("%d %B %Y, %H:%M", time.localtime(there[0].stat().st_mtime))
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Replace?")
    box.setText(f"{there[0].parent} holds {names} from {when}.")
    box.setInformativeText("What is replaced cannot be brought back.")
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.exec()
    box.deleteLater()
    return box.clickedButton() is replace
