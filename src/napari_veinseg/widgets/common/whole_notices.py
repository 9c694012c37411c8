"""Notices that can be read to their end: napari shows their first line, for four seconds.

Napari lets a notice wait for the next to go, and those that come while another window is in front
stay for good: they covered the image. Here each goes by in its own time, what a dock says anyway in
napari's.
"""

import re
from collections.abc import Callable

from napari._qt.dialogs.qt_notification import NapariQtNotification
from qtpy.compat import isalive

_READING = 65  # ms a character
_MOST = 15_000  # ms; who reads on holds the mouse over it, and 'Notices' keeps all
_OURS = "unfolded for the reader"
_GAP = 8  # px between a notice and the border of the canvas


def show_whole(text: str) -> None:
    """Unfold the notice of a text that napari shows, and leave it there until it can be read."""
    _arrange(text, _unfold)


def show_briefly(text: str) -> None:
    """Let the notice of a text go by as napari shows it: all of it is said elsewhere."""
    _arrange(text, _narrow)


def _arrange(text: str, change: Callable[[NapariQtNotification], None]) -> None:
    all_of_them = NapariQtNotification._instances  # also those of a viewer that is gone
    notices = [each for each in all_of_them if isalive(each) and each.parent() is not None]
    for notice in notices:
        if notice.message.text() == text:
            change(notice)
            _pile_up(notices)
    for notice in notices:
        _let_go_by(notice)


def _let_go_by(notice: NapariQtNotification) -> None:
    """Start the time of a notice that waits, unless it is pointed at or somebody unfolded it."""
    if not isalive(notice) or notice.timer.isActive() or notice.underMouse():
        return
    if notice.property("expanded") and not notice.property(_OURS):
        return
    if not notice.timer.isSingleShot():  # napari has never started it
        notice.timer.setSingleShot(True)
        notice.timer.setInterval(max(notice.timer.interval(), notice.DISMISS_AFTER))
        notice.timer.timeout.connect(notice.close_with_fade)
    notice.timer_start()


def _narrow(notice: NapariQtNotification) -> None:
    """Let a notice be no wider than the canvas."""
    label = notice.message
    width = min(notice.width(), notice.parent().width() - 2 * _GAP)
    label.setMinimumWidth(min(label.minimumWidth(), width // 3))
    notice.setFixedWidth(width)
    notice.layout().activate()


def _unfold(notice: NapariQtNotification) -> None:
    label, canvas = notice.message, notice.parent()
    reading = min(_READING * len(label.text()), _MOST)
    _narrow(notice)
    metrics, line = label.fontMetrics(), label.width()
    label.setText(broken(label.text(), lambda part: metrics.horizontalAdvance(part) < line))
    lines = len(label.wrapText(label.text(), line, label.font()))
    folded = notice.height() - label.height()
    room = canvas.height() - 2 * _GAP - folded
    label.setMinimumHeight(min((lines + 1) * metrics.height(), room))  # it elides its last line
    notice.geom_anim.stop()
    notice.resize(notice.width(), folded + label.minimumHeight())
    for name in ("expanded", _OURS):
        notice.setProperty(name, True)
    notice.timer.setInterval(max(notice.timer.interval(), reading))


def _pile_up(notices: list[NapariQtNotification]) -> None:
    """Let no notice cover another, the newest lowest; what has no room any more has gone by."""
    bottom = notices[-1].parent().height() - _GAP
    for notice in reversed(notices):
        top = bottom - notice.height()
        if top < _GAP and notice is not notices[-1]:
            notice.close()
            continue
        notice.geom_anim.stop()
        notice.move(notice.parent().width() - notice.width() - _GAP, max(top, 0))
        bottom = top - _GAP


def broken(text: str, fits: Callable[[str], bool]) -> str:
    """Break words that do not fit into a line where a path or a name has a joint."""
    return " ".join(word if fits(word) else _broken_word(word, fits) for word in text.split(" "))


def _broken_word(word: str, fits: Callable[[str], bool]) -> str:
    lines = [""]
    for part in re.findall(r"[^/\\_.-]*[/\\_.-]|[^/\\_.-]+", word):
        if lines[-1] and not fits(lines[-1] + part):
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
