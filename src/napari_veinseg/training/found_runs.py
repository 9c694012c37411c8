"""The runs of a dataset, found again: so that one goes on whose viewer has died."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from napari_veinseg.errors import VeinSegError
from napari_veinseg.training import run_folder as run_module
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.run_folder import Run


class UnfinishedRun(NamedTuple):
    """A run that can go on, as far as it has come."""

    run: Run
    status: RunStatus
    seconds: float
    """When it worked last, since 1970."""


def runs_of(dataset: Path) -> Iterator[Run]:
    """Give the runs on a dataset in the folder of runs, the one that worked last first."""
    dataset = dataset.absolute()
    for path in sorted(run_module.runs_folder().glob("*/config.json"), key=last_work, reverse=True):
        try:
            run = Run.open(path.parent)
        except VeinSegError:  # another's, or of a later version
            continue
        if run.config.dataset == dataset:
            yield run


def unfinished_run(dataset: Path) -> UnfinishedRun | None:
    """Find the latest training on a dataset, if it was cut short and nobody decided about it.

    None where another process trains it still.
    """
    run = next((run for run in runs_of(dataset) if not run.config.watch), None)
    if run is None or run.settled or run.result is None or not run.state.exists():
        return None
    status = RunStatus.of(EventReader(run.events_path))
    if status.finished:
        return None
    try:
        with run.locked():
            return UnfinishedRun(run, status, last_work(run.path / "config.json"))
    except VeinSegError:  # it is in work, or can't be written
        return None


def last_work(config: Path) -> float:
    """Return when the run of a `config.json` told something last, in seconds since 1970."""
    for path in (config.with_name("events.jsonl"), config):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0
