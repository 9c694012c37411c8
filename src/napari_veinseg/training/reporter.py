"""What a run tells about itself, as the events of `events`."""

from collections.abc import Callable
from typing import Any

from napari_veinseg.data.array_types import Share
from napari_veinseg.training.checkpoint import Position
from napari_veinseg.training.distributed import Scores
from napari_veinseg.training.run_folder import Run

Tell = Callable[[dict[str, Any]], None]
Stop = Callable[[], bool]

_ENDINGS = {
    "budget": "The budget is used up.",
    "patience": "The hold-out has not improved for long.",
    "stopped": "Stopped on request.",
}


class Reporter:
    """Writes events into a run's file and passes them on; of several processes the first does."""

    def __init__(self, run: Run, tell: Tell, speaks: bool = True) -> None:
        self._run, self._tell, self._speaks = run, tell, speaks

    def tell(self, event: str, at: Position, **values: Any) -> None:
        """Tell one event."""
        if self._speaks:
            line = {"event": event, "seconds": round(at.seconds, 3), **values}
            self._run.tell(line)
            self._tell(line)

    def tell_epoch(self, at: Position, progress: Share) -> None:
        """Tell what an epoch has brought: it is counted and its losses are added up."""
        self.tell(
            "epoch",
            at,
            epoch=at.epoch,
            step=at.step,
            loss=at.loss_sum / at.loss_steps,
            progress=min(1.0, progress),
            seconds_left=max(0.0, at.seconds / max(progress, 1e-9) - at.seconds),
            compute_share=at.computing / max(at.seconds, 1e-9),
        )

    def tell_validation(self, at: Position, epoch: int, scores: Scores) -> Share:
        """Tell how well the hold-out was segmented; epoch 0 is the base model."""
        mean = sum(scores.values()) / len(scores)
        self.tell("validation", at, epoch=epoch, vein_iou=mean, per_image=scores)
        return mean

    def tell_end(self, at: Position, reason: str) -> None:
        """Tell why the run ends, and what is best."""
        validated = at.validated_epoch > 0
        text = _ENDINGS[reason]
        if validated and at.best_epoch == 0:
            text += " No epoch did better than the model it started from: that one is kept."
        self.tell(
            "end",
            at,
            reason=reason,
            text=text,
            best_epoch=at.best_epoch if validated else None,
            best_vein_iou=at.best_score if validated else None,
        )
