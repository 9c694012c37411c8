"""The training loop, on Lightning Fabric.

Randomness is drawn from the seed and the number of the step (see `crops`), so a run that was
stopped or killed goes on from its last saved step to the same weights as an unbroken one; with a
budget in minutes the clock decides on the rate, and so on the weights.
"""

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path
from napari_veinseg.model.file import write_model
from napari_veinseg.model.store import model_bytes, resolve
from napari_veinseg.segmentation.runtimes.devices import DeviceChoice, choose_device
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.crops import Crops, batches
from napari_veinseg.training.fabric import launch
from napari_veinseg.training.judge import Judge
from napari_veinseg.training.learner import Learner
from napari_veinseg.training.materials import Materials, gather
from napari_veinseg.training.memory import near
from napari_veinseg.training.ranks import copy_of_first, merged, part
from napari_veinseg.training.run import Run
from napari_veinseg.training.state import Position, learning_rate

Tell = Callable[[dict[str, Any]], None]
Stop = Callable[[], bool]
T = TypeVar("T")

_SAVE_SECONDS = 5  # what a kill may lose; each save takes as long as one or two steps
_LOSSES_AT_ONCE = 20  # steps whose losses a GPU keeps before they are read


def run_training(run: Run, tell: Tell, stop: Stop) -> None:
    """Train to the end of the budget, or until asked to stop.

    Parameters
    ----------
    run : Run
        The folder; where it holds a state the training goes on from there.
    tell : callable
        Called with each event (see `events`), in one process only.
    stop : callable
        Asked before every step whether to end.

    Raises
    ------
    VeinSegError
        If the run cannot start, or its loss is no longer a number.
    """
    choice = choose_device(run.config.device)
    fabric = launch(choice, run.config.precision)
    if fabric.world_size > run.config.batch_size:
        raise VeinSegError(
            f"{fabric.world_size} processes cannot share a batch of {run.config.batch_size}: start "
            "fewer, or raise batch_size in the config.json of a new run."
        )
    with fabric.rank_zero_first():  # the split is drawn once
        materials = gather(run.config)
    trainer = Trainer(fabric, run, materials, choice, tell, stop)
    trainer.resume()
    trainer.train()
    part()


class Trainer:
    """One run in one process.

    Parameters
    ----------
    fabric : Fabric
        Devices and processes; launched.
    run : Run
        The folder.
    materials : Materials
        What to work on.
    choice : DeviceChoice
        The device and why.
    tell : callable
        Called with each event.
    stop : callable
        Asked before every step whether to end.
    """

    def __init__(
        self,
        fabric: Fabric,
        run: Run,
        materials: Materials,
        choice: DeviceChoice,
        tell: Tell,
        stop: Stop,
    ) -> None:
        self.fabric, self.run, self.materials = fabric, run, materials
        self.choice, self._tell, self._stop = choice, tell, stop
        self.config: TrainingConfig = run.config
        self.at = Position(unjudged=bool(self.config.base))
        # Worker processes cannot share what lies on a device.
        train = materials.train if self.config.workers else near(materials.train, fabric.device)
        self.crops = Crops(
            train,
            self.config.crop,
            self.config.batch_size,
            self.config.augmentation,
            self.config.seed,
        )
        passes = -(-len(materials.train) // self.config.batch_size)
        self.epoch_steps = self.config.steps_per_epoch or max(20, passes)
        self.learner = Learner(fabric, materials.network, self.config)
        self.learner.record(self.crops.shape)
        self._losses: list[torch.Tensor] = []
        self._saved_at = -math.inf
        settings = SegmentationSettings(channel=self.config.channel, invert=self.config.invert)
        own = materials.holdout[fabric.global_rank :: fabric.world_size]
        self._judge = Judge(own, settings, choice.name)

    def train(self) -> None:
        """Train to the end of the budget, or until asked to stop."""
        self._began = time.perf_counter() - self.at.seconds
        self.tell(
            "start",
            device=self.choice.label,
            reason=self.choice.reason,
            precision=self.fabric.strategy.precision.precision,
            **self.materials.summary(),
        )
        reason = self._steps()
        if reason != "stopped" and self.at.validated_epoch != self.at.epoch:
            self.validate()
        self.save()
        judged = self.at.validated_epoch > 0
        text = _ENDINGS[reason]
        if judged and self.at.best_epoch == 0:
            text += " No epoch did better than the model it started from: that one is kept."
        self.tell(
            "end",
            reason=reason,
            text=text,
            best_epoch=self.at.best_epoch if judged else None,
            best_vein_iou=self.at.best_score if judged else None,
        )

    def _steps(self) -> str:
        rank, ranks = self.fabric.global_rank, self.fabric.world_size
        crops = batches(
            self.crops,
            self.at.step,
            self.config.batch_size,
            rank,
            ranks,
            self.config.workers,
            self.fabric.device,
        )
        while True:
            if self.at.unjudged:
                self.validate()
            self.at.seconds, asked = self._agreed(
                (time.perf_counter() - self._began, self._asked())
            )
            if asked:
                return "stopped"
            if self.at.stale >= self.config.patience:
                return "patience"
            if self._progress >= 1:
                self._end_epoch()
                return "budget"
            self.step(next(crops))
            if self.at.step % self.epoch_steps == 0:
                self._end_epoch()

    def _asked(self) -> bool:
        return self._stop() or self.run.stop_requested

    @property
    def _progress(self) -> float:
        return self.at.progress(self.config, self.epoch_steps)

    def step(self, crops: dict[str, torch.Tensor]) -> None:
        """Learn from one batch.

        Parameters
        ----------
        crops : dict of str to torch.Tensor
            `image`, `vein` and `known`, each `(N, 1, Y, X)`.
        """
        begin = time.perf_counter()
        loss = self.learner.learn(crops, self.at.step, learning_rate(self._progress, self.config))
        self._losses.append(loss)
        # To read a loss is to wait for the GPU.
        if not loss.is_cuda or len(self._losses) >= _LOSSES_AT_ONCE:
            self._read_losses()
        self.at.step += 1
        self.at.computing += time.perf_counter() - begin

    def _read_losses(self) -> None:
        if not self._losses:
            return
        values = torch.stack(self._losses).tolist()
        self._losses = []
        if not all(map(math.isfinite, values)):
            raise VeinSegError(
                f"The loss is no longer a number after step {self.at.step}: train with a lower "
                "learning rate; the best model so far is kept."
            )
        self.at.loss_sum += sum(values)
        self.at.loss_steps += len(values)

    def _end_epoch(self) -> None:
        self._read_losses()
        if self.at.loss_steps == 0:
            return
        self.at.epoch += 1
        used = self._progress
        self.tell(
            "epoch",
            epoch=self.at.epoch,
            step=self.at.step,
            loss=self.at.loss_sum / self.at.loss_steps,
            progress=min(1.0, used),
            seconds_left=max(0.0, self.at.seconds / max(used, 1e-9) - self.at.seconds),
            compute_share=self.at.computing / max(self.at.seconds, 1e-9),
        )
        self.at.loss_sum, self.at.loss_steps = 0.0, 0
        self.at.unjudged = self.at.validation_due(self.config)
        if self.at.seconds - self._saved_at >= _SAVE_SECONDS:
            self.save()  # first: a kill while it judges loses nothing
        if self.at.unjudged:
            self.validate()

    def validate(self) -> None:
        """Judge the averaged weights on the hold-out, and keep them if they are the best."""
        if not self.materials.holdout:
            self.at.unjudged = False
            return
        begin = time.perf_counter()
        copy_of_first(self.learner.average.buffers())  # statistics of its own part of the batches
        trained = self.at.epoch > 0
        card = self.materials.new_card(self.config, None) if trained else self.materials.card
        # The first process's stop counts for all, here as between steps.
        asked = self._asked if self.fabric.is_global_zero else lambda: False
        scores = merged(self._judge.scores(card, self.learner.average, asked))
        if scores is None:
            return
        score = sum(scores.values()) / len(scores)
        self.tell("validation", epoch=self.at.epoch, vein_iou=score, per_image=scores)
        now = time.perf_counter()
        if not trained:  # the budget is for learning, and for judging what was learned
            self._began += now - begin
        self.at.validation_seconds, self.at.validated_at = self._agreed(
            (now - begin, now - self._began)
        )
        better = self.at.take_score(score)
        if trained and self.fabric.is_global_zero:
            if better:
                card = self.materials.new_card(self.config, score)
                write_model(self.run.best, card, self.learner.average)
            elif not self.run.best.exists():
                self._keep_base()

    def _keep_base(self) -> None:
        """Let the best model be the one that the run started from: never to end worse than that."""
        assert self.config.base is not None
        with atomic_path(self.run.best) as temporary:
            temporary.write_bytes(model_bytes(resolve(self.config.base)))

    def save(self) -> None:
        """Write the latest weights and all that a resumed run needs."""
        self._read_losses()
        self._saved_at = self.at.seconds
        if not self.fabric.is_global_zero:
            return
        # `last` first: a kill between the two costs nothing, the state decides where to go on.
        card = self.materials.new_card(self.config, None)
        write_model(self.run.last, card, self.learner.average)
        self.learner.save(self.run.state, self.at)

    def resume(self) -> None:
        """Go on from the saved state, if there is one."""
        if self.run.state.exists():
            self.at = self.learner.load(self.run.state)

    def tell(self, event: str, **values: Any) -> None:
        """Write an event down and pass it on.

        Parameters
        ----------
        event : str
            Its kind.
        **values : object
            JSON values.
        """
        line = {"event": event, "seconds": round(self.at.seconds, 3), **values}
        if self.fabric.is_global_zero:
            self.run.tell(line)
            self._tell(line)

    def _agreed(self, values: T) -> T:
        """Take the clock and the stop button of the first process for all."""
        if self.fabric.world_size == 1:
            return values
        agreed: T = self.fabric.broadcast(values)
        return agreed


_ENDINGS = {
    "budget": "The budget is used up.",
    "patience": "The hold-out has not improved for long.",
    "stopped": "Stopped on request.",
}
