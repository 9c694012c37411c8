"""Writing for a run without an end: a full disk is waited out, not died of."""

import warnings
from collections import deque
from collections.abc import Callable
from typing import Any

from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.files import writing
from napari_veinseg.training.reporter import Tell
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.work_clock import WorkClock


class PatientLog:
    """Tells events in order, later where they cannot be written now."""

    def __init__(self, run: Run, tell: Tell) -> None:
        self._run, self._tell = run, tell
        self.clock = WorkClock()
        self._unwritten: deque[dict[str, Any]] = deque(maxlen=1000)

    def tell(self, line: dict[str, Any]) -> None:
        """Tell an event, with the seconds of work so far."""
        line = line | {"seconds": round(self.clock.tick(), 3)}
        self._tell(line)
        self._unwritten.append(line)
        self.attempt(self._write)

    def _write(self) -> None:
        while self._unwritten:
            self._run.tell(self._unwritten[0])
            self._unwritten.popleft()

    def attempt(self, write: Callable[[], object]) -> None:
        """Write, or warn and go on without: whoever calls tries again later."""
        try:
            with writing(self._run.path):
                write()
        except VeinSegError as error:
            told = f"{error} What is learned meanwhile is kept in memory."
            warnings.warn(told, VeinSegWarning, stacklevel=2)
