"""Learning beside the person: a child learns from what is reviewed, and its versions are used."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.drafts import model_name
from napari_veinseg.errors import VeinSegError
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.watch_events import WatchStatus
from napari_veinseg.training.watched_runs import (
    Version,
    WatchedRun,
    latest_watched_run,
    watched_run,
)
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import report, reported
from napari_veinseg.widgets.train.run_follower import RunFollower
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.widgets.workbench.open_and_segment import identity_of_file
from napari_veinseg.wording import counted

GO_ON = "Switch it on again: it goes on from where it was."


class LearningBeside(QObject):
    """Follows the open folder's dataset while it is switched on, and offers what was learned."""

    changed = Signal()
    """There is something new to show."""
    handed_over = Signal()
    """Another version is in use."""

    def __init__(
        self, session: FolderSession, configured: Callable[[Path], TrainingConfig]
    ) -> None:
        super().__init__(session)
        self._session, self._configured = session, configured
        self.known: WatchedRun | None = None
        self.in_use: Version | None = None
        self.held = False  # somebody has chosen the version: newer ones wait
        self.wanted = False
        self._trouble = ""
        self.follower = RunFollower(self, WatchStatus())
        self._finding = Job("Looking for what was learned", self, quiet=True)
        self._beginning = Job("Starting to learn", self, quiet=True)
        self.follower.changed.connect(self._hear)
        self.follower.ended.connect(self._end)

    # What is asked for.

    def follow_folder(self) -> None:
        """Leave the folder before, and look for what was learned from this one already."""
        self.close()
        before = self.in_use
        self.known, self.in_use, self.held, self._trouble = None, None, False, ""
        folder = self._session.folder
        if folder is not None:
            self._finding.start(lambda _reporter: latest_watched_run(folder.home), self._take)
        if before is not None:
            self.handed_over.emit()
        self.changed.emit()

    def switch(self, on: bool) -> None:
        """Start or stop to learn; what was learned stays in use."""
        self.wanted, self._trouble = on, ""
        if not on:
            self._beginning.abandon()
            self.follower.stop()
        elif not self.follower.running:
            self._begin()
        self.changed.emit()

    def use(self, version: Version | None) -> None:
        """Make masks by a version from now on; None is always the newest."""
        self.held = version is not None
        self._take_up(version)
        self.changed.emit()

    def hold(self, name: str | None) -> None:
        """Let the model stay that was chosen by its name, if there are versions, or may be."""
        self.held = self.known is not None or self._finding.running
        self.in_use = next((each for each in self.versions() if each.name == name), None)
        self.changed.emit()

    def name_fingers(self, pattern: str | None) -> None:
        """Let what learns know by what pattern the names say which finger an image shows."""
        if self.known is not None:
            with reported("Naming the subjects", self):
                self.known.run.name_fingers(pattern)

    def close(self) -> None:
        """Stop at once, and keep what was learned: the folder or the viewer is being left."""
        self.wanted = False
        for job in (self._finding, self._beginning):
            job.abandon()
        self.follower.abandon()

    # What is known.

    @property
    def has_folder(self) -> bool:
        """Whether a folder is open: without one there is nothing to follow."""
        return self._session.folder is not None

    def versions(self) -> list[Version]:
        """List the models to choose from, the one that learning began with first."""
        return self.known.versions() if self.known is not None else []

    def errors_on_arrival(self) -> list[float]:
        """Return the curve of the errors on images that nothing had been learned from."""
        return self.known.status.errors_on_arrival() if self.known is not None else []

    def describe_model(self, identity: str) -> str:
        """Say which model made a mask and what it has seen, by `MaskMaker.identity`."""
        for version in self.versions():
            if version.number and identity.startswith(identity_of_file(version.path, version.name)):
                return str(version)
        return f"mask by {model_name(identity)}"

    def describe(self) -> str:
        """Say in a sentence what learning does now."""
        status = self.known.status if self.known is not None else WatchStatus()
        if self._trouble:
            return f"{self._trouble.rstrip('.')}. {GO_ON}"
        if self.wanted and not self.follower.running:
            return "Starting to learn…"
        if self.follower.running and not self.wanted:
            return "Keeping what was learned…"
        if not self.wanted:
            return ""
        if status.idle is not None:
            return status.idle.reason
        if not status.pool:
            return "Starting to learn…"
        return f"Learning from {counted(status.pool, 'reviewed image')}."

    # The child.

    def _begin(self) -> None:
        folder = self._session.folder
        if folder is None:
            return
        with reported("Learning", self):
            folder.masks.dataset()  # it may have no image yet
            config = self._asked_for(folder.home)
            begin = self._beginning.start
            begin(lambda _reporter: watched_run(config), self._start, failed=self._give_up)
            return
        self._give_up()

    def _asked_for(self, dataset: Path) -> TrainingConfig:
        """Go on with the run that the chosen version is of; else begin with the chosen model."""
        config, known = self._configured(dataset), self.known
        if known is not None and config.base in {str(v.path) for v in self.versions() if v.number}:
            return config.model_copy(update={"base": known.run.config.base})
        return config

    def _give_up(self) -> None:
        self.wanted = False
        self.changed.emit()

    def _start(self, known: WatchedRun) -> None:
        if not self.wanted:
            return
        self._finding.abandon()  # what it finds is not what is followed now
        self.held = self.held and self.in_use is not None  # else it learns from what was chosen
        known.status.hear({"event": "start"})  # the sitting before is over
        known.status.start = {}
        known.run.pause(False)
        self.follower.start(known.run, known.status, known.reader)
        self._take(known)

    def _take(self, known: WatchedRun | None) -> None:
        self.known = known
        self._hear()

    def _hear(self) -> None:
        if not self.held:
            self._take_up(None)
        self.changed.emit()

    def _take_up(self, version: Version | None) -> None:
        learned = [each for each in self.versions() if each.number]
        version = version or (learned[-1] if learned else None)
        if version != self.in_use:
            self.in_use = version
            self.handed_over.emit()

    def _end(self, trouble: str) -> None:
        if self.wanted and self.follower.stopping and not trouble:
            self._begin()  # switched off and on again meanwhile
        elif trouble or self.wanted:
            self.wanted = False
            self._trouble = trouble or "Learning was ended by another program"
            report(VeinSegError(self.describe()), "Learning", None)  # its own line says so
        self.changed.emit()
