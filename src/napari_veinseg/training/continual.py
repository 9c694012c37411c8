"""Learning beside a person: a run that follows a dataset and publishes what has become better."""

import copy
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import torch
from torch.utils.data import default_collate

from napari_veinseg.data.sample import Fault, Pair
from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.segmentation.runtimes.devices import choose_device, usable_cpus
from napari_veinseg.training.checkpoint import Position
from napari_veinseg.training.dataset_watcher import DatasetChanges, DatasetWatcher
from napari_veinseg.training.fabric import launch
from napari_veinseg.training.learner import Learner
from napari_veinseg.training.patient_log import PatientLog
from napari_veinseg.training.reporter import Stop, Tell
from napari_veinseg.training.reviewed_pool import ArrivalRecord, ReviewedPool
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.sampling import RoundSampler
from napari_veinseg.training.throttling import Throttle
from napari_veinseg.training.training_data import read_base
from napari_veinseg.training.version_choice import VersionChoice
from napari_veinseg.training.versions import Model, Versions
from napari_veinseg.training.watch_events import (
    Arrival,
    Idle,
    Removal,
    Round,
    WatchEvent,
    as_line,
)
from napari_veinseg.training.work_clock import WorkClock

Item = TypeVar("Item")

_ROUND = 20  # steps between two looks at the dataset ...
_ROUND_SECONDS = 3.0  # ... and fewer where the machine is busy
_STEPS_A_COMPARISON = 40
_STEPS_WITHOUT_GAIN = 320  # after which it idles until something comes
_LOOK_EVERY = 1.0  # seconds, while it idles
_SAVE_EVERY = 10.0  # seconds
_RATE = 0.5  # of the config's learning rate, from which a run with a budget comes down
_WARM_UP = 40  # steps


def run_watching(run: Run, tell: Tell, stop: Stop, output: Path | None = None) -> None:
    """Follow the run's dataset and learn from what is reviewed there, until asked to stop.

    Where the run holds a state the learning goes on from there.  Each event is told, see
    `watch_events`; before every step it is asked whether to stop.  The output, a model file, is
    always the newest version.
    """
    choice = choose_device(run.config.device)
    if choice.name == "cpu":
        torch.set_num_threads(max(1, usable_cpus() // 2))  # the other half is the person's
    fabric = launch(choice, run.config.precision)
    if fabric.world_size > 1:
        raise VeinSegError("What watches a dataset is one process: start it without torchrun.")
    base = Model(*read_base(run.config))
    learner = Learner(fabric, copy.deepcopy(base.network), run.config)
    throttle = Throttle(torch.get_num_threads())
    trainer = ContinualTrainer(run, base, learner, PatientLog(run, tell), stop, output, throttle)
    trainer.resume()
    trainer.watch(choice.label, choice.reason)


class ContinualTrainer:
    """A run without an end, whose `output` is always the newest version."""

    def __init__(
        self,
        run: Run,
        base: Model,
        learner: Learner,
        log: PatientLog,
        stop: Stop,
        output: Path | None,
        throttle: Throttle | None = None,
    ) -> None:
        self.run, self.config, self.base = run, run.config, base
        self.learner, self._log, self._stop, self._throttle = learner, log, stop, throttle
        self.pool = ReviewedPool(run, base.card)
        device, settings = str(learner.device), self.config.settings
        self.versions = Versions(run, base, settings, device, output, self._stop_requested)
        self._version_choice = VersionChoice(run, base, learner, self.pool, self.versions, log)
        self._watcher = DatasetWatcher(self.config.dataset, self.config.finger_pattern)
        self.at = Position()
        self._sampler = RoundSampler(self.config, base.card)
        self._steps_left = 0
        self._compared_at = 0  # the step
        self._has_stepped = False  # else the latest weights are those in use
        self._idle_reason = ""
        self._saved_at = 0.0

    def resume(self) -> None:
        """Go on from the saved state, if there is one."""
        if self.run.state.exists():
            self.at = self.learner.load(self.run.state)
            self._has_stepped = True
            self._log.clock = WorkClock(self.at.seconds)
            self._steps_left, self._compared_at = _STEPS_WITHOUT_GAIN, self.at.step

    def watch(self, device: str, reason: str) -> None:
        """Follow the dataset until asked to stop."""
        self._log.tell({"event": "start", "device": device, "reason": reason, "watch": True})
        with suppress(Cancelled):  # asked to stop while it reads or judges
            while not self._stop_requested():
                self.take_changes()
                if self.has_work():
                    self.learn_round()
                else:
                    time.sleep(_LOOK_EVERY)
        self.save(now=True)
        self._log.tell({"event": "end", "reason": "stopped", "text": "Stopped on request."})

    def take_changes(self) -> None:
        """Let what was reviewed since the last look join the pool."""
        if self.run.hear_names():
            self._watcher.read_names_by(self.run.config.finger_pattern)
        try:
            changes = self._watcher.poll()
        except VeinSegError as error:  # a share that is away for a moment
            self._idle(str(error))
            return
        for stem in changes.gone:
            self._remove(stem, f"{stem} is no longer reviewed, or gone.")
        read, faults = self._read(changes)
        before = len(self.pool.arrivals)
        for fault in faults:
            self._remove(fault.stem, fault.message)
        for pair, held_out in self._until_stopped(read):
            try:
                self._take(pair, held_out)
            except Cancelled:
                raise
            except VeinSegError as error:
                self._remove(pair.sample.stem, str(error))
        if len(self.pool.arrivals) > before:
            self._version_choice.suit_base(self.at.step)

    def _read(self, changes: DatasetChanges) -> tuple[list[tuple[Pair, bool]], list[Fault]]:
        try:
            return self.pool.read(self._until_stopped(changes.arrived), changes.renamed)
        except Cancelled:
            raise
        except VeinSegError as error:  # it went away meanwhile
            self._watcher.forget([*changes.arrived, *changes.renamed])
            self._idle(str(error))
            return [], []

    def _until_stopped(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            if self._stop_requested():
                raise Cancelled("The learning was stopped.")
            yield item

    def _take(self, pair: Pair, held_out: bool) -> None:
        """Predict a sample before anything is learned from it, then add it to the pool."""
        stem, known = pair.sample.stem, self.pool.is_known(pair)
        in_use = latest = None
        if not self.pool.is_seen(pair) and not self.pool.has_arrived(pair):
            weights = self._version_choice.latest() if self._has_stepped else None
            in_use, latest = (1 - iou for iou in self.versions.score_arrival(pair, weights))
        self.pool.add(pair, held_out)
        if known:
            return  # before a restart
        record = ArrivalRecord(
            stem=stem,
            image_hash=pair.image_hash,
            mask_hash=pair.mask_hash,
            held_out=held_out,
            error_in_use=in_use,
            version=self.versions.number,
        )
        self._log.attempt(lambda: self.pool.record(record))
        self._tell(Arrival(stem, held_out, in_use, latest, self.versions.number))
        self._sampler.renew(stem)  # a corrected mask is as new as a new one
        self._steps_left = _STEPS_WITHOUT_GAIN
        self._version_choice.expect_more(self.at.step)

    def _remove(self, stem: str, reason: str) -> None:
        self.pool.remove(stem)
        self._tell(Removal(stem, reason))

    def learn_round(self) -> None:
        """Learn some steps, and publish where that has helped."""
        crops = self._sampler.draw(self.pool.train, self.pool.errors, self.at.step, _ROUND)
        losses: list[torch.Tensor] = []
        end = time.monotonic() + _ROUND_SECONDS
        for step in range(self.at.step, self.at.step + _ROUND):
            if self._stop_requested() or (losses and time.monotonic() > end):
                break
            begin = time.monotonic()
            batch = default_collate([crops[step, slot] for slot in range(self.config.batch_size)])
            rate = _RATE * self.config.learning_rate * min(1.0, (step + 1) / _WARM_UP)
            losses.append(self.learner.train_step(batch, step, rate))
            self._has_stepped = True
            if self._throttle:
                self._throttle.take_a_break(time.monotonic() - begin)
        if not losses:
            return
        self.at.step += len(losses)
        self._steps_left -= len(losses)
        self._sampler.count(crops, len(losses))
        self._tell(Round(self.at.step, float(torch.stack(losses).mean()), len(self.pool.train)))
        if self.at.step - self._compared_at >= _STEPS_A_COMPARISON:
            self._compared_at = self.at.step
            if self._version_choice.compare(self.at.step):
                self._steps_left = max(self._steps_left, _STEPS_WITHOUT_GAIN // 2)
        self.save()

    def has_work(self) -> bool:
        """Tell whether something is left to learn; where not, it says why once."""
        if self.run.paused:
            return self._idle("It rests, as asked.")
        if not self.pool.train:
            return self._idle("No reviewed image is there to learn from yet.")
        if self._steps_left <= 0:
            return self._idle("Nothing is new, and it no longer improves.")
        if self._throttle and (reason := self._throttle.reason_to_rest()):
            return self._idle(reason)
        self._idle_reason = ""
        return True

    def _idle(self, reason: str) -> bool:
        if reason != self._idle_reason:
            self._idle_reason = reason
            self.save(now=True)
            self._tell(Idle(reason))
        return False

    def _stop_requested(self) -> bool:
        return self._stop() or self.run.stop_requested

    def _tell(self, event: WatchEvent) -> None:
        self._log.tell(as_line(event))

    def save(self, now: bool = False) -> None:
        """Write the state, at most every few seconds unless `now`."""
        if self._has_stepped and (now or time.monotonic() - self._saved_at >= _SAVE_EVERY):
            self._saved_at = time.monotonic()
            self.at.seconds = self._log.clock.tick()
            self._log.attempt(lambda: self.learner.save(self.run.state, self.at))
