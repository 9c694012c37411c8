"""The Train widget: from a folder of masks to a better model, in a process of its own."""

from functools import partial
from pathlib import Path

import napari
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMessageBox

from napari_veinseg.errors import VeinSegError
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.found_runs import UnfinishedRun
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import start
from napari_veinseg.widgets.common.asking import closed_by_hand, is_closing
from napari_veinseg.widgets.common.form import Hint
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.model_choice import announce_model, install_model
from napari_veinseg.widgets.common.notify import report, reported, show_info
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.train.both_masks import BothMasks, draw_both
from napari_veinseg.widgets.train.comparison_table import LOOK, ComparisonTable
from napari_veinseg.widgets.train.curves import CurvePlot, curves_of
from napari_veinseg.widgets.train.dataset_choice import DatasetChoice
from napari_veinseg.widgets.train.run_before import RunBefore
from napari_veinseg.widgets.train.run_buttons import RunButtons
from napari_veinseg.widgets.train.run_follower import RunFollower
from napari_veinseg.widgets.train.training_form import TrainingForm
from napari_veinseg.widgets.train.verdict import (
    describe_cut_short,
    describe_end,
    describe_progress,
    sources_of,
)


class TrainWidget(Panel):
    """Choose masks, train on them, compare, and keep the new model or not."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.job = Job("Reading the dataset", self)
        self.follower = RunFollower(self, RunStatus())
        self.before = RunBefore(self)
        self._started_from = ""
        self.form = TrainingForm()
        self.base, self.minutes, self.name = self.form.base, self.form.minutes, self.form.name
        self.dataset = DatasetChoice(
            self,
            self.job,
            busy=lambda: self.follower.running,
            base=lambda: self.base.path if self.base.name else None,
        )
        self.add(self.dataset)
        self.add(self.form)
        section = self._run_section = self.add_section("")
        self.status, self.curves = Hint(), CurvePlot()
        section.add_wide(self.status)
        section.add_wide(self.curves, "Training loss, and vein IoU of the held-out images.")
        self.comparison = ComparisonTable(self.viewer)
        self.comparison.hide()
        self.add(self.comparison)
        self._add_foot()

        self.follower.changed.connect(self._show_run)
        self.follower.ended.connect(self._end)
        self.comparison.keep.clicked.connect(self._keep)
        self.comparison.discard.clicked.connect(self._discard)
        self.comparison.asked_for.connect(self._show_both)
        self.job.changed.connect(self._show_state)
        self.base.model_changed.connect(self._follow_base)
        self.dataset.surveyed.connect(self._show_state)
        self.dataset.surveyed.connect(self._look_back)
        self.before.found.connect(self._offer)
        self.before.left.connect(self._leave_before)
        self.closing.connect(self._close)
        self._show_state()

    def _add_foot(self) -> None:
        self.add_footer(self.comparison.foot)
        self.buttons = RunButtons()
        self.start, self.stop = self.buttons.start, self.buttons.stop
        self.add_footer(self.buttons)
        self.focus.pair(self.start, self.stop)
        self.start.clicked.connect(self._start)
        self.buttons.resume.clicked.connect(self._resume)
        self.stop.clicked.connect(self._stop)

    # What is shown.

    def _follow_base(self) -> None:
        if self.isVisible():  # else the summary is made when the tab is shown
            self.dataset.refresh()

    def _show_state(self) -> None:
        running, cut_short = self.follower.running, self._cut_short
        idle = not running and not self.job.running
        self.buttons.show_state(idle, running, self.dataset.refusal, cut_short)
        self.dataset.show_idle(idle)
        for part in (self.comparison, self.comparison.foot):
            part.setEnabled(idle)  # a job holds back the next: Keep would do nothing
        self.comparison.look.setText(LOOK)
        self.curves.setVisible(self.follower.run is not None)
        self.status.setVisible(bool(self.status.text()))
        stopped = self.follower.status.end.get("reason") == "stopped" and self.before.run is None
        on_purpose = cut_short is None or stopped
        self.buttons.mark_next(self.comparison, cut_short, on_purpose=on_purpose)

    @property
    def _cut_short(self) -> Run | None:
        """The run that was stopped or killed before its end, and is neither kept nor discarded."""
        run, follower = self.follower.run, self.follower
        ended = not follower.running and not self.comparison.foot.isHidden()
        if run is None or not ended or follower.status.finished or not run.state.exists():
            return None
        return run

    @property
    def _better_waits(self) -> bool:
        """Whether a model that is not known to be worse is neither kept nor discarded yet."""
        return not self.comparison.foot.isHidden() and not self.follower.status.base_is_best

    @property
    def _open_end(self) -> bool:
        """Whether something would be left that was begun here."""
        return self.follower.running or (self._better_waits and self.before.run is None)

    def _show_run(self) -> None:
        status = self.follower.status
        self.curves.show_curves(curves_of(status))
        if status.start and not status.end and not self.follower.stopping:
            self.status.say(describe_progress(status))

    # The run.

    def _start(self) -> None:
        with reported("Training", self):
            config = self.form.config(self.dataset.path(), self.dataset.names.finger_pattern())
            if self._better_waits and not self._may_go_on(
                "The new model is not kept",
                "Keep would install the model that was trained last. Train again without it?",
                QMessageBox.StandardButton.Discard,
            ):
                return
            run = start(None, config)
            self._drop_comparison()
            self._started_from = self.base.name or "base"
            self._follow(run, RunStatus())
        self._show_state()

    def _resume(self) -> None:
        with reported("Training", self):
            run = self._cut_short
            if run is not None:
                reader = EventReader(run.events_path)
                status = RunStatus.of(reader)
                status.end = {}
                self._drop_comparison()
                self._follow(run, status, reader)
        self._show_state()

    def _follow(self, run: Run, status: RunStatus, reader: EventReader | None = None) -> None:
        self.before.run, self.buttons.offer = None, ""
        self.follower.start(run, status, reader)
        self._show_run()
        self.status.say("Starting: loading torch and reading the images…")
        self.reveal(self._run_section)

    def _stop(self) -> None:
        self.follower.stop()
        self.stop.setEnabled(False)
        self.status.say("Stopping…")

    def _end(self, trouble: str) -> None:
        run = self.follower.run
        if trouble:
            report(VeinSegError(trouble), "Training", self)
        if run is not None and run.result is not None:
            self._show_result(run)
            self.reveal(self.comparison)
        elif run is not None and not trouble:
            run.remove()  # there is nothing in it
        self._show_state()
        resumable, learned = self._cut_short is not None, self._new_model() is not None
        status = self.follower.status
        self.status.say(describe_end(status.end, bool(trouble), learned, resumable))
        self.dataset.catch_up()

    def _show_result(self, run: Run) -> None:
        sources = sources_of(Path(run.config.dataset))
        self.comparison.show_result(self.follower.status, self._started_from, sources)
        self.comparison.show()

    # A run of before.

    def _look_back(self) -> None:
        self.before.follow(self.dataset.folder.path(), look=self._all_is_decided)

    @property
    def _all_is_decided(self) -> bool:
        """Whether no run waits for somebody to keep or discard its model."""
        run = self.follower.run
        return run is None or run.settled or not run.path.exists()

    def _leave_before(self) -> None:
        self.follower.run = None
        self._drop_comparison()
        self.status.clear()
        self._show_state()

    def _offer(self, found: UnfinishedRun) -> None:
        if not self._all_is_decided:  # one was started meanwhile
            self.before.run = None
            return
        self.follower.run, self.follower.status = found.run, found.status
        self._started_from = Path(found.run.config.base or "base").stem
        self._show_run()
        self._show_result(found.run)
        self.status.say("")  # it is not in work
        self.buttons.offer = describe_cut_short(found.seconds)
        self._show_state()

    def _new_model(self) -> Path | None:
        run = self.follower.run
        if run is None or run.result is None:
            return None
        # Where the old model was the better one, it is the run's result: the last is new.
        return run.last if self.follower.status.base_is_best else run.result

    def _keep(self) -> None:
        file = self._new_model()
        if file is not None:
            work = partial(install_model, file, self.name.text().strip())
            self.job.start(work, done=self._kept, saves=True)

    def _show_both(self, stem: str) -> None:
        run, new = self.follower.run, self._new_model()
        if run is None or new is None:
            return
        work = partial(draw_both, run.config, new, stem)

        def show(both: BothMasks) -> None:
            self.comparison.masks.show_masks(both, old_name=self._started_from)
            self.reveal(self.comparison.masks)

        self.job.start(work, done=show)
        self.comparison.look.setText(f"Drawing both masks of {stem}…")

    def _drop_comparison(self) -> None:
        self.comparison.masks.close_opened()
        self.comparison.hide()
        self.comparison.foot.hide()

    def _kept(self, name: str) -> None:
        self.comparison.show_kept(name)
        if self.follower.run is not None:
            self.follower.run.settle()
        announce_model(name)
        self.reveal(self.comparison)  # its first line says so
        self.status.say(f"'{name}' is kept and chosen: it makes the masks from now on.")

    def _discard(self) -> None:
        self._drop_comparison()
        if self.follower.run is not None:
            self.follower.run.remove()
        self._show_state()
        self.status.say("The new model was discarded; the old one is as it was.")

    # The end of the viewer.

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Ask before the viewer is closed over a running training, or a model to be kept."""
        # Not self.window(): a dock that floats is a window of its own.
        if is_closing(event) and watched is self.viewer.window._qt_window and self._open_end:
            if not closed_by_hand(watched):
                self._close()
            elif not self._may_close():
                event.ignore()
                return True
        return super().eventFilter(watched, event)

    def _may_close(self) -> bool:
        title, what = "The new model is not kept", "Close without keeping the new model?"
        if self.follower.running:
            title, what = "Training is running", "A model is being trained. Stop it and close?"
        what += " What was learned stays in the folder of its run."
        return self._may_go_on(title, what, QMessageBox.StandardButton.Close)

    def _may_go_on(self, title: str, text: str, go_on: QMessageBox.StandardButton) -> bool:
        cancel = QMessageBox.StandardButton.Cancel
        return QMessageBox.question(self, title, text, go_on | cancel, cancel) == go_on

    def _close(self) -> None:
        run = self.follower.run
        if run is not None and self.follower.running and self.parent() is None:
            # napari closes a dock without asking.
            show_info(f"Training was stopped; what it has learned so far stays in {run.path}.")
        self.follower.abandon()
        self.job.abandon()
        self.before.abandon()
