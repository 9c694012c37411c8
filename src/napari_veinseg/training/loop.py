"""The training loop, on Lightning Fabric.

Randomness is drawn from the seed and the number of the step (see `crops`), so a run that was
stopped or killed goes on from its last saved step to the same weights as an unbroken one; with a
budget in minutes the clock decides on the rate, and so on the weights.
"""

import math
import time

import torch
from lightning_fabric import Fabric

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import write_bytes
from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.file import read_model, write_model
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.model.store import model_bytes, resolve
from napari_veinseg.segmentation.runtimes.devices import DeviceChoice, choose_device
from napari_veinseg.segmentation.vein_model import VeinModel
from napari_veinseg.training.checkpoint import Position, schedule_learning_rate
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.crops import Crop, Crops, iterate_batches
from napari_veinseg.training.data_record import DataRecord
from napari_veinseg.training.device_memory import cache_on_device
from napari_veinseg.training.distributed import (
    Scores,
    broadcast_from_first,
    leave_process_group,
    merge_over_processes,
)
from napari_veinseg.training.fabric import launch
from napari_veinseg.training.learner import Learner
from napari_veinseg.training.reporter import Reporter, Stop, Tell
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.training_data import RunData, load_training_data
from napari_veinseg.training.validation import held_out_ious
from napari_veinseg.training.work_clock import WorkClock

_LOSSES_AT_ONCE = 20  # steps whose losses a GPU keeps before they are read
_SAVE_SECONDS = 5  # what a kill may lose; each save takes as long as one or two steps


def run_training(run: Run, tell: Tell, stop: Stop) -> None:
    """Train to the end of the budget, or until asked to stop.

    Where the run holds a state the training goes on from there.  Each event is told, see `events`,
    by one process only; before every step it is asked whether to stop.

    Raise VeinSegError if the run cannot start, or its loss is no longer a number.
    """
    choice = choose_device(run.config.device)
    fabric = launch(choice, run.config.precision)
    if fabric.world_size > run.config.batch_size:
        raise VeinSegError(
            f"{fabric.world_size} processes cannot share a batch of {run.config.batch_size}: start "
            "fewer, or raise batch_size in the config.json of a new run."
        )
    earlier = DataRecord.read(run.data_record)
    with fabric.rank_zero_first():  # the split is drawn once
        data = load_training_data(run.config, earlier)
    trainer = Trainer(fabric, run, data, choice, tell, stop)
    trainer.resume(earlier)
    trainer.train()
    leave_process_group()


class Trainer:
    """One run in one process."""

    def __init__(
        self, fabric: Fabric, run: Run, data: RunData, choice: DeviceChoice, tell: Tell, stop: Stop
    ) -> None:
        self.fabric, self.run, self.data, self.choice = fabric, run, data, choice
        self._reporter, self._stop = Reporter(run, tell, fabric.is_global_zero), stop
        self.config: TrainingConfig = run.config
        self.at = Position(validation_pending=bool(self.config.base))
        self._clock = WorkClock()
        self._hold_out_changed = False
        # Worker processes cannot share what lies on a device.
        train = data.train if self.config.workers else cache_on_device(data.train, fabric.device)
        self.crops = Crops(train, self.config, data.card.scales)
        passes = -(-len(data.train) // self.config.batch_size)
        self.epoch_steps = self.config.steps_per_epoch or max(20, passes)
        self.learner = Learner(fabric, data.network, self.config)
        self.learner.record_cuda_graph(self.crops.shape)
        self._losses: list[torch.Tensor] = []  # of the last steps, not read yet
        self._saved_at = -math.inf

    def train(self) -> None:
        """Train to the end of the budget, or until asked to stop."""
        self._clock = WorkClock(self.at.seconds)
        precision = self.fabric.strategy.precision.precision
        self._reporter.tell(
            "start",
            self.at,
            device=self.choice.label,
            reason=self.choice.reason,
            precision=precision,
            validated_anew=self._hold_out_changed,
            **self.data.summary(),
        )
        if self._hold_out_changed:
            self.validate_anew()
        if self.at.validation_pending:
            self.validate()
        batches = iterate_batches(
            self.crops,
            self.at.step,
            self.fabric.global_rank,
            self.fabric.world_size,
            self.config.workers,
            self.fabric.device,
        )
        while not (reason := self._reason_to_end()):
            self.train_step(next(batches))
            if self.at.step % self.epoch_steps == 0:
                self.on_epoch_end()
        if reason == "budget":
            self.on_epoch_end()  # of a budget in minutes that ends within an epoch
        if reason != "stopped" and self.at.validated_epoch != self.at.epoch:
            self.at.validation_pending = True
            self.validate()
            if self.at.validation_pending:  # asked to stop while the last weights were judged
                reason = "stopped"
        self.save()
        self._reporter.tell_end(self.at, reason)

    def train_step(self, batch: Crop) -> None:
        """Learn from one batch."""
        begin = time.perf_counter()
        rate = schedule_learning_rate(self._progress, self.config)
        loss = self.learner.train_step(batch, self.at.step, rate)
        self._losses.append(loss)
        self.at.step, self.at.score = self.at.step + 1, None
        if not loss.is_cuda or len(self._losses) >= _LOSSES_AT_ONCE:
            self._read_losses()
        self.at.computing += time.perf_counter() - begin

    def on_epoch_end(self) -> None:
        """Tell the loss, save, and validate where that is due."""
        self._read_losses()
        if self.at.loss_steps == 0:
            return
        self.at.epoch += 1
        self._reporter.tell_epoch(self.at, self._progress)
        self.at.loss_sum, self.at.loss_steps = 0.0, 0
        self.at.validation_pending = self.at.validation_due(self.config)
        if self.at.seconds - self._saved_at >= _SAVE_SECONDS:
            self.save()  # first: a kill while it validates loses nothing
        if self.at.validation_pending:
            self.validate()

    def validate(self) -> None:
        """Score the averaged weights on the hold-out, and keep them if they are the best."""
        if not self.data.holdout:
            self.at.validation_pending = False
            return
        trained = self.at.epoch > 0
        begin = self._clock.tick()
        card = self.data.new_card(self.config, None) if trained else self.data.card
        broadcast_from_first(self.learner.average.buffers())  # statistics of its part of batches
        scores = self._score(card, self.learner.average)
        if scores is None:
            return  # asked to stop
        score = self._reporter.tell_validation(self.at, self.at.epoch, scores)
        took = self._clock.tick() - begin
        if not trained:  # the budget is for learning, and for validating what was learned
            self._clock.seconds = begin
        times = self.fabric.broadcast((took, self._clock.seconds))  # of the first process
        self.at.validation_seconds, self.at.validated_at = times
        better = self.at.record_score(score)
        if trained and self.fabric.is_global_zero:
            if better:
                card = self.data.new_card(self.config, score)
                write_model(self.run.best, card, self.learner.average)
            elif not self.run.best.exists():
                self._keep_base()

    def save(self) -> None:
        """Write the latest weights and all that a resumed run needs."""
        self._read_losses()
        self._saved_at = self.at.seconds
        if not self.fabric.is_global_zero:
            return
        # `last` first: a kill between the two costs nothing, the state decides where to go on.
        card = self.data.new_card(self.config, self.at.score)
        write_model(self.run.last, card, self.learner.average)
        self.learner.save(self.run.state, self.at)

    def resume(self, earlier: DataRecord | None) -> None:
        """Go on from the saved state, if there is one."""
        if self.run.state.exists():
            self.at = self.learner.load(self.run.state)
            validated = earlier.validated if earlier else self.data.record.validated
            # Where nothing is held out any more, nothing can judge anew: the old figures stand.
            changed = bool(self.data.holdout) and validated != self.data.record.validated
            self._hold_out_changed = self.fabric.broadcast(changed)
        self._write_record(validated=not self._hold_out_changed)

    def validate_anew(self) -> None:
        """Score base and best model on a hold-out that has changed: old figures say nothing now."""
        self.at.score = None
        models = {0: resolve(self.config.base)} if self.config.base else {}
        if self.at.best_epoch and self.run.best.exists():
            models[self.at.best_epoch] = self.run.best
        found = {}
        for epoch, path in models.items():
            scores = self._score(*read_model(path))
            if scores is None:
                return  # asked to stop: the next sitting begins with this again
            found[epoch] = scores
        self.at.forget_scores()
        for epoch, scores in found.items():
            score = self._reporter.tell_validation(self.at, epoch, scores)
            self.at.record_score(score, epoch)
        if self.at.best_epoch == 0:
            self._keep_base()
        self.save()
        self._write_record()

    def _write_record(self, validated: bool = True) -> None:
        record = self.data.record
        if not validated:  # whoever goes on from here is to validate anew
            record = record.model_copy(update={"validated": {}})
        if self.fabric.is_global_zero:
            record.write(self.run.data_record)

    def _reason_to_end(self) -> str:
        """Look at clock and stop button of the first process; empty while there is more to do."""
        seen = self._clock.tick(), self._stop_requested()
        self.at.seconds, asked = self.fabric.broadcast(seen)
        if asked:
            return "stopped"
        if self.at.stale >= self.config.patience:
            return "patience"
        return "budget" if self._progress >= 1 else ""

    def _stop_requested(self) -> bool:
        return self._stop() or self.run.stop_requested

    @property
    def _progress(self) -> float:
        return self.at.progress(self.config, self.epoch_steps)

    def _read_losses(self) -> None:
        """Add up the losses of the last steps: to read one at once would be to wait for the GPU."""
        values: list[float] = torch.stack(self._losses).tolist() if self._losses else []
        self._losses.clear()
        if not all(map(math.isfinite, values)):
            raise VeinSegError(
                f"The loss is no longer a number after step {self.at.step}: train with a lower "
                "learning rate; the best model so far is kept."
            )
        self.at.loss_sum += sum(values)
        self.at.loss_steps += len(values)

    def _score(self, card: ModelCard, network: SegmentationNetwork) -> Scores | None:
        model = VeinModel(card, network, self.choice.name)
        own = self.data.holdout[self.fabric.global_rank :: self.fabric.world_size]
        return merge_over_processes(
            held_out_ious(model, own, self.config.settings, self._asked_while_validating)
        )

    def _asked_while_validating(self) -> bool:
        self._clock.tick()
        # The first process's stop counts for all, here as between steps.
        return self.fabric.is_global_zero and self._stop_requested()

    def _keep_base(self) -> None:
        """Let the model that the run started from be the best: a run never ends worse than that."""
        if self.config.base and self.fabric.is_global_zero:
            write_bytes(self.run.best, model_bytes(resolve(self.config.base)))
