"""The runs that watch a dataset: found again, so that learning beside a person goes on."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.store import resolve
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.events import EventReader
from napari_veinseg.training.found_runs import runs_of
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import start
from napari_veinseg.training.watch_events import Published, WatchStatus
from napari_veinseg.wording import counted


@dataclass(frozen=True)
class Version:
    """A model that learning beside a person has made, or the one that it began with."""

    number: int
    """From 1; 0 is the model that learning began with."""
    name: str
    """For people."""
    path: Path
    """Its model file."""
    seen: str
    """What it has seen and how good it is, in words."""

    def __str__(self) -> str:
        return f"{self.name}, {self.seen}"


@dataclass(frozen=True)
class WatchedRun:
    """A run that watches a dataset, as far as it has come, with a reader of what it tells next."""

    run: Run
    status: WatchStatus
    reader: EventReader

    @classmethod
    def of(cls, run: Run) -> "WatchedRun":
        """Read what a run has told; it may be new."""
        reader, status = EventReader(run.events_path), WatchStatus()
        for line in reader.new_events():
            status.hear(line)
        return cls(run, status, reader)

    def versions(self) -> list[Version]:
        """List the models to go back to whose files are there, what learning began with first."""
        told = {each.version: each for each in self.status.versions}
        found = [
            Version(number, f"version {number}", self.run.version(number), _seen(told[number]))
            for number in sorted(told)
        ]
        base = self.run.config.base
        if base is not None:
            with suppress(VeinSegError):
                path = resolve(base)
                found.insert(0, Version(0, path.stem, path, "before learning"))
        return [version for version in found if version.path.exists()]


def _seen(version: Published) -> str:
    if not version.learned_from:
        return "as before learning, which did not help yet"
    images = counted(version.learned_from, "image")
    if version.latest is None:
        return f"learnt from {images}, not judged yet"
    if version.left_latest is not None:
        left = f"{100 * version.left_latest:.0f} % of the veins' length left to draw or erase"
        return f"learnt from {images}, {left}"
    if version.threshold is not None:
        return f"learnt from {images}, judged on images without a vein so far"
    error = {"arrivals": "error on arrival", "hold-out": "hold-out error"}.get(version.by, "error")
    return f"learnt from {images}, {error} {1 - version.latest:.2f}"


def latest_watched_run(dataset: Path) -> WatchedRun | None:
    """Find the run that learned last from a dataset; None where none has."""
    found = next(_watching(dataset), None)
    return None if found is None else WatchedRun.of(found)


def watched_run(config: TrainingConfig) -> WatchedRun:
    """Find the latest run from the same model on the same kind of images, or begin one.

    It reads fingers from names as is asked now; where nothing is asked, as before.
    """
    asked = (config.base, config.channel, config.invert)
    for run in _watching(config.dataset):
        if (run.config.base, run.config.channel, run.config.invert) == asked:
            run.name_fingers(config.finger_pattern or run.config.finger_pattern)
            return WatchedRun.of(run)
    return WatchedRun.of(start(None, config))


def _watching(dataset: Path) -> Iterator[Run]:
    """Give the runs that watch a dataset, the one that worked last first."""
    return (run for run in runs_of(dataset) if run.config.watch)
