"""Telling the user what went wrong: one napari notification, and a log file for bugs."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from napari.utils import notifications
from napari.utils.notifications import notification_manager
from platformdirs import user_log_path
from qtpy.QtCore import QTimer

from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.widgets.common.whole_notices import show_whole

_PACKAGE = "napari_veinseg"

LOG_FILE = user_log_path("napari-veinseg", appauthor=False) / "veinseg.log"
"""Where unexpected errors are written with their traceback."""


def show_info(text: str) -> None:
    """Tell what was done in a notice that can be read to its end."""
    notifications.show_info(text)
    show_whole(text)


def show_warning(text: str) -> None:
    """Tell what to look out for, likewise."""
    notifications.show_warning(text)
    show_whole(text)


def show_error(text: str) -> None:
    """Tell what went wrong, likewise."""
    notifications.show_error(text)
    show_whole(text)


def report(error: BaseException, doing: str) -> None:
    """Show an error as one notification; an unexpected one also goes to `LOG_FILE`."""
    if isinstance(error, Cancelled):
        show_info(f"{doing} was cancelled.")
    elif isinstance(error, VeinSegError):
        show_error(str(error))
    else:
        place = _log(error, doing, LOG_FILE)
        show_error(
            f"{doing} failed because of an error in the plugin "
            f"({type(error).__name__}: {error}). {place}"
        )


@contextmanager
def reported(doing: str) -> Iterator[None]:
    """Report whatever the block raises instead of letting it reach Qt."""
    try:
        yield
    except Exception as error:  # a callback of ours must never take the viewer down
        report(error, doing)


def watch_callbacks() -> None:
    """Log also what escapes a callback of ours, and tell in napari's own notification where.

    Qt hands such an error to napari, which shows it; calling this twice changes nothing.
    """
    notification_manager.notification_ready.connect(_tell_place)


def _tell_place(notification: Any) -> None:
    error = getattr(notification, "exception", None)
    while error is not None and not _is_ours(error):  # psygnal wraps what a listener raises
        error = error.__cause__
    if isinstance(error, VeinSegError):
        notification.message = str(error)
    elif error is not None:
        place = _log(error, "A callback", LOG_FILE)
        notification.message = (
            f"An error in the vein segmentation plugin ({type(error).__name__}: {error}). {place}"
        )
    if error is not None:
        QTimer.singleShot(0, partial(show_whole, notification.message))


def _is_ours(error: BaseException) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith(_PACKAGE) for frame, _ in frames)


def _log(error: BaseException, doing: str, path: Path) -> str:
    """Append the traceback to the log and say where it is."""
    record = logging.LogRecord(
        _PACKAGE, logging.ERROR, __file__, 0, f"{doing} failed", None,
        (type(error), error, error.__traceback__),
    )  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=1_000_000, backupCount=1, encoding="utf-8")
    except OSError as problem:
        return f"Its details could not be written to {path} ({problem.strerror})."
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handler.emit(record)
    handler.close()
    return f"Its details are in {path}."
