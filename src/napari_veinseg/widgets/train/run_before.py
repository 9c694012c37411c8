"""A training of before that was cut short, as by a viewer that died: it can go on."""

from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_veinseg.training.found_runs import UnfinishedRun, unfinished_run
from napari_veinseg.training.run_folder import Run
from napari_veinseg.widgets.common.jobs import Job


class RunBefore(QObject):
    """Finds it by the dataset that is chosen, and forgets it when another one is."""

    found = Signal(object)
    """There is one; carries the `UnfinishedRun`."""
    left = Signal()
    """It is of another dataset than the one that is chosen now."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.run: Run | None = None
        """The one that is offered; None when another run is followed."""
        self._dataset: Path | None = None
        self._job = Job("Looking for a training that was cut short", self, quiet=True)

    def follow(self, dataset: Path | None, *, look: bool) -> None:
        """Know which dataset is chosen; `look` where no run is shown that it could displace."""
        self._dataset = dataset
        if self.run is not None and not self._is_of_dataset(self.run):
            self.run = None
            self.left.emit()
        elif look and dataset is not None:
            self._job.abandon()  # another dataset may have been looked through
            self._job.start(lambda _reporter: unfinished_run(dataset), self._take)

    def abandon(self) -> None:
        """Look no longer: the viewer is closing."""
        self._job.abandon()

    def _take(self, found: UnfinishedRun | None) -> None:
        if found is not None and self._is_of_dataset(found.run):
            self.run = found.run
            self.found.emit(found)

    def _is_of_dataset(self, run: Run) -> bool:
        return self._dataset is not None and run.config.dataset == self._dataset.absolute()
