"""Where a run stands: all that a resumed run needs beside its config."""

import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from napari_veinseg.data.array_types import Share
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import write_bytes
from napari_veinseg.training.config import TrainingConfig

Stateful = torch.nn.Module | torch.optim.Optimizer

_LOWEST_RATE = 0.01  # of the highest
_VALIDATION_SHARE = 0.1  # of the time, when the budget is in minutes


@dataclass
class Position:
    """Counters of a run."""

    step: int = 0
    epoch: int = 0
    """Steps and epochs that are done."""
    seconds: float = 0.0
    """Of training, over all sittings."""
    computing: float = 0.0
    """Seconds of these in forward, backward and step."""
    loss_sum: float = 0.0
    """Of the epoch in progress."""
    loss_steps: int = 0
    best_epoch: int = 0
    """Which validated best so far; epoch 0 is the model that the run started from."""
    best_score: float = -1.0
    """Its vein IoU."""
    score: Share | None = None
    """Of these weights; None where they are not judged."""
    stale: int = 0
    """Validations since the best one."""
    validated_epoch: int = -1
    validated_at: float = -math.inf
    """The second of training in which an epoch was judged last."""
    validation_seconds: float = 0.0
    """How long that took."""
    validation_pending: bool = False
    """Whether these weights are to be judged before the next step."""

    def progress(self, config: TrainingConfig, epoch_steps: int) -> float:
        """Compute the share of the budget that is used, 1 at its end."""
        if config.minutes:
            budget = 60 * config.minutes
            # The last look at the hold-out belongs to the budget, unless it left none to learn in.
            return self.seconds / (budget - min(self.validation_seconds, budget / 2))
        assert config.epochs is not None
        return self.step / (config.epochs * epoch_steps)

    def validation_due(self, config: TrainingConfig) -> bool:
        """Whether to look at the hold-out now: that must not eat a budget in minutes."""
        if not config.minutes:
            return True
        since = self.seconds - self.validated_at
        return since * _VALIDATION_SHARE >= self.validation_seconds

    def forget_scores(self) -> None:
        """Begin to compare anew, for the hold-out is another one."""
        self.best_epoch, self.best_score, self.stale = 0, -1.0, 0
        self.validation_pending = True

    def record_score(self, score: Share, epoch: int | None = None) -> bool:
        """Count a validation by the mean vein IoU, and tell whether it is the best so far.

        The weights are those of this epoch, or of another one.
        """
        if epoch is None:
            epoch = self.validated_epoch = self.epoch
            self.score, self.validation_pending = score, False
        better = score > self.best_score
        if better:
            self.best_score, self.best_epoch, self.stale = score, epoch, 0
        elif self.epoch > 0:
            self.stale += 1
        return better


def schedule_learning_rate(progress: Share, config: TrainingConfig) -> float:
    """Rise linearly, then fall as a cosine to a hundredth of the highest rate."""
    if progress < config.warm_up:
        share = max(_LOWEST_RATE, progress / config.warm_up)
    else:
        fallen = min(1.0, (progress - config.warm_up) / (1 - config.warm_up))
        share = _LOWEST_RATE + (1 - _LOWEST_RATE) * 0.5 * (1 + math.cos(math.pi * fallen))
    return config.learning_rate * share


def save_state(path: Path, position: Position, parts: Mapping[str, Stateful]) -> None:
    """Write a state, whole or not at all."""
    state = {name: part.state_dict() for name, part in parts.items()}
    content = io.BytesIO()  # what torch says of a full disk is no `OSError`
    torch.save({"position": asdict(position), **state}, content)
    write_bytes(path, content.getbuffer())


def lay_out_as_weights(optimiser: torch.optim.Optimizer) -> None:
    """Give the moments of each weight its memory layout.

    A fused step walks weight and moments as plain memory.  Loaded moments have the layout of the
    device that they were saved on, and would be those of other weights without a word.
    """
    for weight, values in optimiser.state.items():
        for name, value in values.items():
            if value.shape == weight.shape:
                values[name] = torch.empty_like(weight, requires_grad=False).copy_(value)


def load_state(path: Path, parts: Mapping[str, Stateful], device: torch.device) -> Position:
    """Read a state back; no code in the file is run.

    Raise VeinSegError if the file is damaged or belongs to another network.
    """
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return Position(**state["position"])
    except Exception as error:  # a damaged file raises anything at all
        raise VeinSegError(
            f"{path} cannot be read: start a new run from the last model beside it."
        ) from error
