"""Asks before something is lost: files that are replaced, work that is left."""

import time
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QMessageBox, QWidget

from napari_veinseg.wording import listed


def may_lose(parent: QWidget, title: str, text: str, more: str, lose: str, keep: str) -> bool:
    """Ask whether something may be lost; Enter and Escape keep it."""
    box = QMessageBox(QMessageBox.Icon.Warning, title, text, parent=parent)
    box.setInformativeText(more)
    losing = box.addButton(lose, QMessageBox.ButtonRole.DestructiveRole)
    keeping = box.addButton(keep, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keeping)
    box.setEscapeButton(keeping)
    box.exec()
    box.deleteLater()
    return box.clickedButton() is losing


def may_replace(parent: QWidget, files: Sequence[Path]) -> bool:
    """Ask whether the files that exist may be replaced; nothing is asked where none does."""
    there = [each for each in files if each.exists()]
    if not there:
        return True
    names = listed([each.name for each in there])
    when = time.strftime("%d %B %Y, %H:%M", time.localtime(there[0].stat().st_mtime))
    text = f"{there[0].parent} holds {names} from {when}."
    lasting = "What is replaced cannot be brought back."
    return may_lose(parent, "Replace?", text, lasting, lose="Replace", keep="Cancel")
