"""A run: the folder that holds what was asked for, what happened, and the weights.

config.json         the `TrainingConfig`
events.jsonl        one JSON object a line, see `events`
last.safetensors    a model file: the latest epoch
best.safetensors    a model file: the epoch with the best validation vein IoU, or the model that the
                    run started from, where no epoch did better; none before one was judged
state.pt            what a resumed run needs beside the config: weights, optimiser, counters
data.json           the `DataRecord`: its split, and what it has learned from
stop                when it exists, the run ends at the next step
kept                when it exists, somebody kept its model: it is not offered to go on any more

and of a run that watches its dataset:

arrivals.json       the samples in order, with their error on arrival, see `reviewed_pool`
versions/           the models that were published, see `versions`; `best` is the newest
pause               while it exists, the run rests
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from napari_veinseg.data.finger_groups import compile_finger_pattern
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import user_folder, write_bytes, write_text, writing
from napari_veinseg.training.config import TrainingConfig

_LOCK = ".lock"
_BEFORE_WEIGHTS = {"config.json", "data.json", "events.jsonl", "log.txt", "stop", _LOCK}
_OWN = {*_BEFORE_WEIGHTS, "last.safetensors", "best.safetensors", "state.pt", "kept"}

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel


class Run:
    """A run's folder and the paths in it, which may not exist yet; use `create` or `open`."""

    def __init__(self, path: Path, config: TrainingConfig) -> None:
        self.path, self.config = path, config
        self.last = path / "last.safetensors"
        self.best = path / "best.safetensors"
        self.state = path / "state.pt"
        self.data_record = path / "data.json"
        self.arrivals = path / "arrivals.json"
        self.versions = path / "versions"
        self.events_path = path / "events.jsonl"

    @classmethod
    def create(cls, path: str | Path | None, config: TrainingConfig) -> Self:
        """Make a folder for a new run, new or empty; by default named by the time.

        Raise VeinSegError if the folder holds something already or cannot be made.  What a run
        leaves that was ended before it had learned anything is nothing.
        """
        path = runs_folder() / f"{datetime.now():%Y%m%d-%H%M%S-%f}" if path is None else Path(path)
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            run = cls(path, config)
            run._clear_beginning()
            run._write_config()
        return run

    def _write_config(self) -> None:
        write_text(self.path / "config.json", self.config.model_dump_json(indent=2) + "\n")

    def _clear_beginning(self) -> None:
        """Let the same command begin again where it was ended before it had learned anything."""
        holds = {path.name for path in self.path.iterdir()}
        if not holds:
            return
        if not holds <= _BEFORE_WEIGHTS:
            raise VeinSegError(
                f"{self.path} holds something already: choose a new folder, or --resume that run."
            )
        with self.locked():
            for name in holds - {_LOCK}:
                (self.path / name).unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that trains this run; the system frees the lock of a dead one.

        Raise VeinSegError if another process trains it, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / _LOCK, timeout=0)
        with writing(self.path):
            try:
                lock.acquire()
            except Timeout as error:  # an `OSError`, too
                raise VeinSegError(
                    f"Another process is training the run in {self.path}: wait for it, stop it, "
                    "or choose another folder."
                ) from error
        try:
            yield
        finally:
            lock.release()

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open the folder of a run."""
        path = Path(path)
        try:
            text = (path / "config.json").read_text(encoding="utf-8")
            return cls(path, TrainingConfig.model_validate_json(text))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise VeinSegError(f"{path} is no training run: it has no sound config.json.") from (
                error
            )

    @property
    def result(self) -> Path | None:
        """The best model file, else the last one, else None."""
        return next((path for path in (self.best, self.last) if path.exists()), None)

    def version(self, number: int) -> Path:
        """Return where the version of a number lies, from 1 on."""
        return self.versions / f"{number:04}.safetensors"

    @property
    def paused(self) -> bool:
        """Whether somebody asked a run that watches to rest."""
        return (self.path / "pause").exists()

    def pause(self, rest: bool) -> None:
        """Ask a run that watches to rest for now, or to go on."""
        path = self.path / "pause"
        if rest:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    def name_fingers(self, pattern: str | None) -> None:
        """Let a run that watches read fingers from names by another pattern, at its next look.

        Raise VeinSegError if it is no such expression, or the run's folder cannot be written.
        """
        compile_finger_pattern(pattern)
        if pattern != self.config.finger_pattern:
            self.config = self.config.model_copy(update={"finger_pattern": pattern})
            with writing(self.path):
                self._write_config()

    def hear_names(self) -> bool:
        """Take over by what pattern fingers are read now; tell whether it is another."""
        try:
            pattern = Run.open(self.path).config.finger_pattern
        except VeinSegError:  # a share that is away for a moment
            return False
        changed = pattern != self.config.finger_pattern
        self.config = self.config.model_copy(update={"finger_pattern": pattern})
        return changed

    def model(self) -> "VeinModel":
        """Load the best model that the run has made, or the last one where there was no hold-out.

        Raise VeinSegError if the run has made no model yet.
        """
        from napari_veinseg.segmentation.vein_model import VeinModel

        return VeinModel.load(self._made())

    def save_result(self, target: str | Path) -> None:
        """Copy the model that the run has made."""
        with writing(Path(target)):
            write_bytes(Path(target), self._made().read_bytes())

    def _made(self) -> Path:
        if self.result is None:
            raise VeinSegError(f"{self.path} has no model yet: train for longer.")
        return self.result

    def remove(self) -> None:
        """Delete the run's own files, and its folder if nothing else lies in it."""
        for name in _OWN:
            (self.path / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

    @property
    def settled(self) -> bool:
        """Whether somebody kept its model."""
        return (self.path / "kept").exists()

    def settle(self) -> None:
        """Note that its model was kept."""
        with suppress(OSError):  # it is offered once more then
            (self.path / "kept").touch()

    def request_stop(self) -> None:
        """Ask the run, in whatever process, to end at its next step."""
        (self.path / "stop").touch()

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked the run to end."""
        return (self.path / "stop").exists()

    def reopen(self) -> None:
        """Forget a request to stop, and that its model was kept: the run goes on."""
        for name in ("stop", "kept"):
            (self.path / name).unlink(missing_ok=True)

    def tell(self, event: dict[str, Any]) -> None:
        """Append an event, see `events`."""
        line = json.dumps(event, allow_nan=False).encode() + b"\n"
        with self.events_path.open("ab+") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - 1))
            if file.read(1) not in (b"", b"\n"):
                line = b"\n" + line  # the last writer was killed within its line
            file.write(line)


def runs_folder() -> Path:
    """Return the folder of runs that were given no place; it need not exist."""
    return user_folder("runs")
