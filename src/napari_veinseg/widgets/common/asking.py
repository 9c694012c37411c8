"""Asking before something is lost: files that are replaced, work over which a viewer closes."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QMainWindow, QMessageBox, QWidget

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


def is_closing(event: QEvent | None) -> TypeGuard[QEvent]:
    """Tell whether an event asks a window to close."""
    return event is not None and event.type() == QEvent.Type.Close


def closed_by_hand(window: Any) -> bool:
    """Tell a user's close from `viewer.close()`, which has hidden the canvas before."""
    centre = window.centralWidget() if isinstance(window, QMainWindow) else None
    if centre is None:
        return bool(window.isVisible())
    parts = centre.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return window.isVisible() and not all(part.isHidden() for part in parts)
