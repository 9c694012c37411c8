"""Telling the user what went wrong: a notice, the foot of the dock, and a log file for bugs."""

import logging
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from logging.handlers import RotatingFileHandler
from typing import Any, NamedTuple, Protocol

from napari.utils import notifications
from napari.utils.notifications import notification_manager
from platformdirs import user_log_path
from qtpy.QtCore import QObject, QTimer

from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.widgets.common.whole_notices import show_briefly, show_whole

_PACKAGE = "napari_veinseg"

LOG_FILE = user_log_path("napari-veinseg", appauthor=False) / "veinseg.log"
"""Where unexpected errors are written with their traceback."""


class Notice(NamedTuple):
    """What was told, and when."""

    time: str
    kind: str
    text: str


past_notices = deque[Notice](maxlen=200)
"""What was told since the program began, to be read again; the latest last."""


class Place(Protocol):
    """Where the dock says what went wrong until it is tried again."""

    def tell(self, doing: str, text: str) -> None:
        """Say why something failed."""

    def forget(self, doing: str) -> None:
        """Say so no longer."""

    def isVisible(self) -> bool:  # noqa: N802  (Qt's name)
        """Tell whether the user sees it."""


def place_of(part: QObject | None) -> Place | None:
    """Return the place for what fails in a part of a dock: that of the nearest one around it."""
    while part is not None:
        found: Place | None = getattr(part, "trouble", None)
        if found is not None:
            return found
        part = part.parent()
    return None


def show_info(text: str) -> None:
    """Tell what was done in a notice that can be read to its end."""
    notifications.show_info(text)
    remember_done(text)
    show_whole(text)


def show_warning(text: str, *, in_dock: bool = False) -> None:
    """Tell what to look out for, likewise; briefly where a dock says it, too."""
    notifications.show_warning(text)
    _remember("Warning", text)
    (show_briefly if in_dock else show_whole)(text)


def show_error(text: str, *, in_dock: bool = False) -> None:
    """Tell what went wrong, likewise."""
    notifications.show_error(text)
    _remember("Error", text)
    (show_briefly if in_dock else show_whole)(text)


def remember_done(text: str) -> None:
    """Keep in 'Notices' what was done, where a dock shows it: no notice covers the image."""
    _remember("Done", text)


def _remember(kind: str, text: str) -> None:
    past_notices.append(Notice(time.strftime("%H:%M:%S"), kind, text))


def report(error: BaseException, doing: str, where: QObject | None) -> None:
    """Show an error as one notification; an unexpected one also goes to `LOG_FILE`.

    It stays in the dock around `where`, until the same is tried again.
    """
    if isinstance(error, Cancelled):
        show_info(f"{doing} was cancelled.")
        return
    if isinstance(error, VeinSegError):
        text = str(error)
    else:
        written = _log(error, doing)
        text = (
            f"{doing} failed because of an error in the plugin "
            f"({type(error).__name__}: {error}). {written}"
        )
    show_error(text, in_dock=_say_in_dock(text, doing, where))


def warn(text: str, doing: str, where: QObject | None) -> None:
    """Tell what to look out for, and let it stay in the dock until the same is tried again."""
    show_warning(text, in_dock=_say_in_dock(text, doing, where))


def _say_in_dock(text: str, doing: str, where: QObject | None) -> bool:
    """Let the dock around `where` say it, and tell whether that is in sight."""
    place = place_of(where)
    if place is None:
        return False
    place.tell(doing, text)
    return place.isVisible()


def trying(doing: str, where: QObject | None) -> None:
    """Let the dock around `where` say no longer why this failed: it is tried again."""
    place = place_of(where)
    if place is not None:
        place.forget(doing)


@contextmanager
def reported(doing: str, where: QObject | None) -> Iterator[None]:
    """Report whatever the block raises instead of letting it reach Qt.

    `where` is the part of a dock that was pressed; None is for what nobody asked for.
    """
    trying(doing, where)
    with caught(doing, where):
        yield


@contextmanager
def caught(doing: str, where: QObject | None) -> Iterator[None]:
    """Report whatever a part of the work raises; what failed before it still stands."""
    try:
        yield
    except Exception as error:  # a callback of ours must never take the viewer down
        report(error, doing, where)


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
        place = _log(error, "A callback")
        notification.message = (
            f"An error in the vein segmentation plugin ({type(error).__name__}: {error}). {place}"
        )
    if error is not None:
        _remember("Error", notification.message)
        QTimer.singleShot(0, partial(show_whole, notification.message))


def _is_ours(error: BaseException) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith(_PACKAGE) for frame, _ in frames)


def _log(error: BaseException, doing: str) -> str:
    """Append the traceback to the log and say where it is."""
    record = logging.LogRecord(
        _PACKAGE, logging.ERROR, __file__, 0, f"{doing} failed", None,
        (type(error), error, error.__traceback__),
    )  # fmt: skip
    try:
        LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(LOG_FILE, maxBytes=1_000_000, backupCount=1, encoding="utf-8")
    except OSError as problem:
        return f"Its details could not be written to {LOG_FILE} ({problem.strerror})."
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handler.emit(record)
    handler.close()
    return f"Its details are in {LOG_FILE}."
