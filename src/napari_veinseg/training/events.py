"""What a run tells while it works, and the picture that a follower puts together from it.

Every event has `event` and `seconds` (of training, over all sittings):

    start        device, reason, precision, train (images, fingers, vein_pixels), validation
                 (images, fingers; seen: held out, but learned from before), optimistic,
                 faults (a sentence for each sample that is left out), caveats,
                 validated_anew (the hold-out has changed: scores before this line are void)
    validation   epoch (0: the base model), vein_iou (mean of images), per_image
    epoch        epoch, step, loss, progress, seconds_left, compute_share
    end          reason (budget, patience, stopped, failed), text, best_epoch (0: no epoch did
                 better than the base model, None: nothing was judged), best_vein_iou
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass
class RunStatus:
    """Where a run stands; knows neither Qt nor torch."""

    start: dict[str, Any] = field(default_factory=dict)
    """The latest start event, empty before."""
    losses: dict[int, float] = field(default_factory=dict)
    """Mean training loss by epoch."""
    scores: dict[int, float] = field(default_factory=dict)
    """Mean vein IoU of the hold-out's images by epoch; 0 is the base model."""
    per_image: dict[int, dict[str, float]] = field(default_factory=dict)
    """Vein IoU by image, by epoch."""
    progress: float = 0.0
    """Share of the budget that is used, in [0, 1]."""
    seconds: float = 0.0
    """Of training so far."""
    seconds_left: float | None = None
    """Until the budget ends."""
    end: dict[str, Any] = field(default_factory=dict)
    """The end event, empty before."""

    @classmethod
    def of(cls, reader: "EventReader") -> Self:
        """Put together what a run has told so far; the reader goes on from there."""
        status = cls()
        for event in reader.new_events():
            status.hear(event)
        return status

    @property
    def judges(self) -> bool:
        """Whether there are held-out images to judge by, as far as is known."""
        return bool(self.start.get("validation", {}).get("images", 1))

    def hear(self, event: Mapping[str, Any]) -> None:
        """Take an event in; an unknown or a damaged one changes nothing."""
        with suppress(KeyError, TypeError):
            self._hear(event)

    def _hear(self, event: Mapping[str, Any]) -> None:
        match event.get("event"):
            case "start":
                self.start, self.end, self.seconds_left = dict(event), {}, None
                if event.get("validated_anew"):
                    self.scores.clear()
                    self.per_image.clear()
            case "epoch":
                self.losses[event["epoch"]] = event["loss"]
                self.progress, self.seconds_left = event["progress"], event["seconds_left"]
            case "validation":
                self.per_image[event["epoch"]] = event["per_image"]
                self.scores[event["epoch"]] = event["vein_iou"]
            case "end":
                self.end, self.seconds_left = dict(event), 0.0
        self.seconds = event.get("seconds", self.seconds)

    @property
    def finished(self) -> bool:
        """Whether the run has come to its own end: there is nothing to go on with."""
        return self.end.get("reason") in ("budget", "patience")

    @property
    def base_is_best(self) -> bool:
        """Whether epochs were judged and none did better than the base model."""
        best = self.best_epoch
        return best is not None and self.scores.get(0, -1.0) >= self.scores[best]

    @property
    def best_epoch(self) -> int | None:
        """The trained epoch with the best vein IoU, None where nothing was validated."""
        trained = {epoch: score for epoch, score in self.scores.items() if epoch > 0}
        return max(trained, key=lambda epoch: trained[epoch]) if trained else None

    @property
    def offered_epoch(self) -> int | None:
        """The trained epoch whose weights a run holds: where the base is best, only the last."""
        return max(self.scores) if self.base_is_best else self.best_epoch

    def comparison(self) -> list[tuple[str, float, float]]:
        """List stem, vein IoU of the base and vein IoU of the offered epoch, of the whole hold-out.

        Empty without a base or a hold-out.
        """
        offered = self.offered_epoch
        if offered is None or 0 not in self.per_image:
            return []
        old, new = self.per_image[0], self.per_image[offered]
        return [(stem, old[stem], new[stem]) for stem in sorted(old) if stem in new]


class EventReader:
    """Reads what was appended to an events file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0

    def new_events(self) -> Iterator[dict[str, Any]]:
        """Give the events that are new.

        A line that is still being written is left for the next look, a torn one of a run that was
        killed is passed over.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                text = file.read()
        except OSError:
            return
        whole = text.rfind(b"\n") + 1
        self._place += whole
        for line in text[:whole].splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event
