"""Long work beside the viewer: one job at a time, with progress, cancel and errors told."""

import atexit
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from weakref import WeakSet

from napari.qt.threading import WorkerBase, create_worker
from napari.utils import progress
from qtpy.QtCore import QObject, QTimer, Signal

from napari_veinseg.errors import Cancelled
from napari_veinseg.widgets.common.notify import caught, report, trying
from napari_veinseg.widgets.common.turns import Turns

AT_ONCE = 100_000
"""Pixels whose work holds nobody up; more are worked on beside the viewer."""

_PATIENCE = 300  # ms, after which work has a bar: making one holds the viewer for 30 ms

_reporters = WeakSet["Reporter"]()


def _end_workers() -> None:
    """Let the work end before Qt is taken down: what reports to a Qt that is gone aborts Python.

    Napari does so when its own event loop ends; a script or a notebook may have none.
    """
    for reporter in list(_reporters):
        reporter.cancel()
    WorkerBase.await_workers()
    # What is left goes with the process: searching it for cycles took up to seven seconds.
    gc.freeze()


atexit.register(_end_workers)  # runs before what Qt has registered, which is imported by now


class Step(NamedTuple):
    """How far a job is."""

    done: int
    total: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.done + 1} of {self.total})" if self.total else self.text


class Reporter:
    """What a job gets to speak with, callable from any thread."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        self._tell = tell
        self._stop = threading.Event()
        self.abandoned = False
        """Whether nobody wants the result: work that has not begun need not begin."""
        _reporters.add(self)

    def cancel(self) -> None:
        """Ask the job to stop."""
        self._stop.set()

    def cancelled(self) -> bool:
        """Tell whether the job should stop now."""
        return self._stop.is_set()

    def tell(self, news: object) -> None:
        """Send a `Step`, or any result on the way, to the viewer's thread."""
        if self._stop.is_set():
            raise Cancelled("The work was cancelled.")
        self._tell(news)


class Job(QObject):
    """A place where one piece of long work runs at a time."""

    changed = Signal()  # started, or ended and its result taken
    _news = Signal(object, object)

    def __init__(self, doing: str, parent: QObject, *, quiet: bool = False) -> None:
        super().__init__(parent)
        self._doing = doing
        self._quiet = quiet  # no progress bar: nobody waits for it
        self._reporter: Reporter | None = None
        self._bar: progress | None = None
        self._step: Step | None = None
        self._worker: Any = None
        self._on_news: Callable[[object], None] | None = None
        self._done: Callable[[Any], Iterator[None] | None] | None = None
        self._failed: Callable[[], None] | None = None
        self._saves = False
        self._turns = Turns(doing, self)
        self._turns.ended.connect(self.changed)
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._patience.timeout.connect(self._show_bar)
        self._news.connect(self._hear)

    @property
    def running(self) -> bool:
        """Whether work is under way."""
        return self._reporter is not None or self._turns.running

    def start(
        self,
        work: Callable[[Reporter], Any],
        done: Callable[[Any], Iterator[None] | None],
        news: Callable[[object], None] | None = None,
        failed: Callable[[], None] | None = None,
        *,
        saves: bool = False,
    ) -> bool:
        """Run `work` in a thread, then give its result to `done`.

        A `done` that yields goes on in the next turn of the event loop, so that what it adds to the
        viewer is drawn piece by piece and holds nobody up.  Work that saves goes on to its end
        where it is abandoned.
        """
        if self.running:
            return False
        trying(self._doing, self)
        reporter = Reporter(lambda item: self._send(reporter, item))
        self._reporter, self._on_news = reporter, news
        # Never a lambda here: a collector in a worker's thread empties it before Qt calls it.
        self.destroyed.connect(reporter.cancel)
        if not self._quiet:
            self._patience.start()
        self._done, self._failed, self._saves = done, failed, saves
        self._worker = create_worker(_run, work, reporter, _start_thread=False)
        # A bound method of a QObject, not a lambda: that is what makes Qt change threads.
        self._worker.returned.connect(self._end)
        self._worker.start()
        self.changed.emit()
        return True

    def do(self, size: int, work: Callable[[Reporter], Any], done: Callable[[Any], None]) -> None:
        """Do work on a small image at once, and `start` that on a larger one."""
        if size <= AT_ONCE:
            done(work(Reporter(lambda _news: None)))
        else:
            self.start(work, done)

    def cancel(self) -> None:
        """Ask the running work to stop; it ends at its next step."""
        if self._reporter is not None:
            self._reporter.cancel()

    def show_rest(self) -> None:
        """Show at once what would be shown in turns to come."""
        self._turns.finish()

    def abandon(self) -> None:
        """Cancel, and forget the work at once: for a viewer that is closing."""
        if self.running:
            if self._reporter is not None and not self._saves:
                self._reporter.abandoned = True
                self._reporter.cancel()
            self._close()
            self.changed.emit()

    def _send(self, reporter: Reporter, item: object) -> None:
        try:
            self._news.emit(reporter, item)
        except RuntimeError:  # the widget was deleted under the work
            reporter.cancel()

    def _hear(self, reporter: Reporter, item: object) -> None:
        if reporter is not self._reporter:
            return
        with caught(self._doing, self):
            on_news = self._on_news
            if isinstance(item, Step):
                self._step = item
                self._fill_bar()  # may end this very job
            if on_news is not None:
                on_news(item)

    def _show_bar(self) -> None:
        reporter = self._reporter
        bar = progress(total=0, desc=self._doing)  # lets Qt work, which may end this very job
        if reporter is not None and reporter is self._reporter:
            self._bar = bar
            self._fill_bar()
        else:
            bar.close()

    def _fill_bar(self) -> None:
        bar, step = self._bar, self._step  # drawing it lets Qt work, too
        if bar is not None and step is not None:
            bar.total, bar.n = step.total, step.done
            bar.set_description(step.text or self._doing)

    def _end(self, ended: "_Ended") -> None:
        if ended.reporter is not self._reporter:
            return
        done, failed = self._done, self._failed
        self._close()
        with caught(self._doing, self):
            if ended.error is not None:
                report(ended.error, self._doing, self)
                if failed is not None:
                    failed()
            elif done is not None:
                more = done(ended.result)
                if isinstance(more, Iterator):
                    self._turns.begin(more)
                    return
        self.changed.emit()

    def _close(self) -> None:
        self._patience.stop()
        if self._bar is not None:
            self._bar.close()
        if self._reporter is not None:
            self.destroyed.disconnect(self._reporter.cancel)
        self._reporter = self._bar = self._worker = self._step = None
        self._on_news = self._done = self._failed = None
        self._turns.stop()


class _Ended(NamedTuple):
    reporter: Reporter
    result: Any = None
    error: BaseException | None = None


def _run(work: Callable[[Reporter], Any], reporter: Reporter) -> _Ended:
    """Run the work; a failure is an end, too, so that it is told once and in our words."""
    if reporter.abandoned:  # but not where it was cancelled: a mask is saved after its dock, too
        return _Ended(reporter)
    try:
        return _Ended(reporter, work(reporter))
    except BaseException as error:
        return _Ended(reporter, error=error)
