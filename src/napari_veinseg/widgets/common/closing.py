"""What a viewer that is being closed is asked about."""

from typing import Any, TypeGuard

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QMainWindow, QWidget


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
