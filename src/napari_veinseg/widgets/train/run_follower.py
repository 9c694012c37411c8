"""Following a run in its child process, by nothing but its events file."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from qtpy.QtCore import QObject, QTimer, Signal

from napari_veinseg.training.child_process import TrainingProcess
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.watch_events import WatchStatus

_LOOK_EVERY = 250  # ms


Status = TypeVar("Status", RunStatus, WatchStatus)


class RunFollower(QObject, Generic[Status]):
    """Starts a run, tells what it does and stops it."""

    changed = Signal()
    """There are new events."""
    ended = Signal(str)
    """The child has ended; carries a sentence when that was not as it should be."""

    def __init__(self, parent: QObject, status: Status) -> None:
        super().__init__(parent)
        self.run: Run | None = None
        self.status: Status = status
        self._process: TrainingProcess | None = None
        self.stopping = False
        """Whether the child was asked to end."""
        self._reader: EventReader | None = None
        self._told: dict[str, Mapping[str, Any]] = {}  # by this child: the last event of each kind
        self._timer = QTimer(self, interval=_LOOK_EVERY)
        self._timer.timeout.connect(self._look)

    @property
    def running(self) -> bool:
        """Whether a child is at work, or its end has not been told yet."""
        return self._process is not None

    def start(self, run: Run, status: Status, reader: EventReader | None = None) -> None:
        """Start a run or go on with it, in a child process.

        The reader is one that has read what `status` knows.
        """
        self.run, self.status = run, status
        self._reader = reader or EventReader(run.events_path)
        self._process = TrainingProcess(run)
        self.stopping = False
        self._told = {}
        self._timer.start()

    def stop(self) -> None:
        """Ask the child to keep what it has learned and to end."""
        if self._process is not None:
            self.stopping = True
            self._process.stop()

    def abandon(self) -> None:
        """Stop the child and forget it: for a viewer that is closing."""
        self._timer.stop()
        self.stop()
        self._process = None

    def _look(self) -> None:
        if self._process is None or self._reader is None:
            return
        gone = not self._process.running  # asked first: its last events are then on disk
        events = list(self._reader.new_events())
        for event in events:
            self.status.hear(event)
            self._told[str(event.get("event"))] = event
        if events:
            self.changed.emit()
        if gone:
            ended, self._process = self._process, None
            self._timer.stop()
            ended.wait(0)
            self.ended.emit(self._trouble(ended))

    def _trouble(self, process: TrainingProcess) -> str:
        if process.exit_code == 0 or (self.stopping and "start" not in self._told):
            return ""  # asked to stop before there was anything to keep, the child just ends
        end = self._told.get("end", {})
        if end.get("reason") == "failed":
            return str(end["text"])
        if process.exit_code is not None and process.exit_code < 0:
            words = "it was ended from outside, as systems do that run out of memory"
        else:
            words = process.last_words() or "without a word"
        return f"The training process ended (exit code {process.exit_code}): {words.rstrip('.')}."
