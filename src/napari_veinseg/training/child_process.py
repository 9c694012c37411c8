"""Training in a child process: a viewer never freezes, and a crash there leaves it alive."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from napari_veinseg.data.array_types import Seconds
from napari_veinseg.training.run_folder import Run

_FLAGS = ("--resume", "--stop-with-parent")
_LOG = "log.txt"
# No console, and after the viewer's turn: elsewhere the child steps back by itself.
_ON_WINDOWS = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
    subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0
)


class TrainingProcess:
    """A run in a child process.

    The child is told what to do by the run's folder and tells what it does in its events file.
    It ends when this object's `stop` is called, or when this process dies, for then its standard
    input closes.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._log = (run.path / _LOG).open("ab")
        self._child = subprocess.Popen(  # noqa: S603  (our own module, arguments of our own)
            [sys.executable, "-m", "napari_veinseg", "train", "--run", str(run.path), *_FLAGS],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
            creationflags=_ON_WINDOWS,
        )

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative after a signal; None while it runs."""
        return self._child.poll()

    def stop(self) -> None:
        """Ask the child to keep its weights and end; returns at once."""
        if self._child.stdin:
            self._child.stdin.close()
        with suppress(OSError):  # a disk that is full or away: the end of its input tells it, too
            self.run.request_stop()

    def wait(self, seconds: Seconds) -> bool:
        """Wait for the end of the child, so long at most."""
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self._log.close()
        return True

    def last_words(self) -> str:
        """Return the last line that the child wrote outside its events, as of an error."""
        try:
            text = Path(self._log.name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        lines = text.strip().splitlines()
        return lines[-1].removeprefix("veinseg: ") if lines else ""


def _wait_for_end_of_input() -> None:
    """Return when standard input, a pipe, is closed at its other end."""
    if sys.platform == "win32":
        import _winapi
        import msvcrt

        # A thread that reads would block whoever asks what standard input is, as the libraries of
        # NumPy and SciPy do when they are loaded: so this one only looks.
        pipe = msvcrt.get_osfhandle(0)
        with suppress(OSError):
            while True:
                _winapi.PeekNamedPipe(pipe, 0)
                time.sleep(0.2)
    else:
        # Not `sys.stdin`: its lock, held by a waiting thread, would break the exit.
        while os.read(0, 1):
            pass


class StopButton:
    """What tells a training process to end: Ctrl-C, SIGTERM or the end of its parent.

    Until the run first asks, there is nothing to save and a press ends the process at once; from
    then on it is remembered for the next question.
    """

    def __init__(self) -> None:
        self._pressed = threading.Event()
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._press)

    def __call__(self) -> bool:
        """Whether the run should end."""
        self._asked = True
        return self._pressed.is_set()

    def follow_parent(self) -> None:
        """Press when standard input closes, as it does when the parent dies however it dies."""

        def wait() -> None:
            _wait_for_end_of_input()
            self._press(signal.SIGTERM, None)

        threading.Thread(target=wait, daemon=True).start()

    def _press(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._pressed.set()
        if not self._asked:
            # Not `sys.exit`: this may be another thread, and there is nothing to clean up.
            os._exit(128 + number)
