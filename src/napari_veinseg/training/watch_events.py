"""What a run that watches a dataset tells, typed, and the picture that a follower makes of it.

Each is a line of `events.jsonl`, with `event` and `seconds`, beside `start` and `end` of `events`.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar


@dataclass(frozen=True)
class Arrival:
    """A reviewed sample has come, or was corrected once more."""

    event: ClassVar[str] = "arrival"
    stem: str
    held_out: bool
    """Whether it is only validated on."""
    error_in_use: float | None
    error_latest: float | None
    """Both are 1 - vein IoU, of the version in use and of the latest weights, before anything was
    learned from it; None where the image had been learned from already."""
    version: int
    """The version in use."""


@dataclass(frozen=True)
class Removal:
    """A sample left the pool: it is no longer reviewed, or cannot be read."""

    event: ClassVar[str] = "removal"
    stem: str
    reason: str


@dataclass(frozen=True)
class Round:
    """Some steps were learned."""

    event: ClassVar[str] = "round"
    step: int
    """Steps so far."""
    loss: float
    """Mean of the round."""
    pool: int
    """Images that are learned from."""


@dataclass(frozen=True)
class Comparison:
    """What may come next against the version in use: learned weights, or the base at a threshold.

    Where arrivals decide, learned weights are held against the base.
    """

    event: ClassVar[str] = "comparison"
    step: int
    """Steps so far."""
    in_use: float
    latest: float
    """Both are a mean vein IoU."""
    by: str
    """On held-out images, or on reviewed ones before they were learned from."""
    images: int
    """On how many."""
    left_in_use: float | None
    left_latest: float | None
    """Both are the centreline to erase and to draw, by all that there is to draw; None where no
    image holds a vein."""
    cost_in_use: float
    cost_latest: float
    """Both as in `operating_point.Outcome`."""
    threshold: float
    """The one that the latest weights were judged at."""
    surely: bool = False
    """Whether the latest cost less by more than the standard error of that."""

    @property
    def gain(self) -> float:
        """How much less the latest weights cost than what is known."""
        return self.cost_in_use - self.cost_latest

    def reversed(self) -> "Comparison":
        """Hold what was known against what was learned."""
        return replace(
            self,
            in_use=self.latest,
            latest=self.in_use,
            left_in_use=self.left_latest,
            left_latest=self.left_in_use,
            cost_in_use=self.cost_latest,
            cost_latest=self.cost_in_use,
        )


@dataclass(frozen=True)
class Published:
    """A new version is in use."""

    event: ClassVar[str] = "published"
    version: int
    """Its number, from 1."""
    path: str
    """Its model file."""
    learned_from: int
    """Images that it has learned from here; 0 where it is the base, be it at another threshold."""
    in_use: float | None = None
    latest: float | None = None
    """Mean vein IoU of what there was before and of this one."""
    by: str = "nothing"
    """As in `Comparison`; by nothing, and without figures, where no image could judge it yet."""
    left_in_use: float | None = None
    left_latest: float | None = None
    threshold: float | None = None
    """Likewise; the last is None in runs of earlier releases alone."""


@dataclass(frozen=True)
class Idle:
    """Nothing is left to do for now, and why."""

    event: ClassVar[str] = "idle"
    reason: str


WatchEvent = Arrival | Removal | Round | Comparison | Published | Idle
_KINDS: dict[str, type[WatchEvent]] = {
    kind.event: kind for kind in (Arrival, Removal, Round, Comparison, Published, Idle)
}


def as_line(event: WatchEvent) -> dict[str, Any]:
    """Make a line of it."""
    return {"event": event.event, **asdict(event)}


def from_line(line: Mapping[str, Any]) -> WatchEvent | None:
    """Make an event of a line of a run; None of one of another kind, or of a damaged one."""
    kind = _KINDS.get(line.get("event", ""))
    values = {name: value for name, value in line.items() if name not in ("event", "seconds")}
    with suppress(TypeError):
        return kind(**values) if kind else None
    return None


def describe(event: WatchEvent) -> str:
    """Say an event in a sentence; empty for what comes every few seconds."""
    match event:
        case Arrival():
            side = "held out" if event.held_out else "learned from"
            error = event.error_in_use
            figure = "" if error is None else f"; error on arrival {error:.3f}"
            return f"{event.stem} came and is {side}{figure} (version {event.version})."
        case Published(in_use=None) | Published(latest=None):
            return f"Version {event.version} is in use, judged by no image yet: {event.path}"
        case Published():
            left = ""
            if event.left_in_use is not None and event.left_latest is not None:
                left = f"{event.left_latest:.2f} left to correct, {event.left_in_use:.2f} before, "
            elif event.threshold is not None:
                left = "no vein in the images that judge it, "
            return (
                f"Version {event.version} is in use: {left}vein IoU {event.latest:.3f}, "
                f"{event.in_use:.3f} before, on {_JUDGES[event.by]}: {event.path}"
            )
        case Removal() | Idle():
            return event.reason
    return ""


_JUDGES = {"hold-out": "the hold-out", "arrivals": "images before they were learned from"}


@dataclass
class WatchStatus:
    """Where a run stands that watches a dataset; knows neither Qt nor torch."""

    arrivals: list[Arrival] = field(default_factory=list)
    """In order; the errors on arrival are the curve to show."""
    versions: list[Published] = field(default_factory=list)
    """In order; the last one is in use."""
    idle: Idle | None = None
    """Why it does nothing now; None while it learns."""
    pool: int = 0
    """Images that it learned from in its latest round; 0 before one."""
    start: dict[str, Any] = field(default_factory=dict)
    """The start event of the latest sitting, empty before."""
    end: dict[str, Any] = field(default_factory=dict)
    """Its end event, empty before."""

    def hear(self, line: Mapping[str, Any]) -> None:
        """Take an event of a run in; an unknown or a damaged one changes nothing."""
        match line.get("event"):
            case "start":
                self.start, self.end = dict(line), {}
                self.idle, self.pool = None, 0
            case "end":
                self.end = dict(line)
        match from_line(line):
            case Arrival() as arrival:
                self.arrivals.append(arrival)
            case Published() as published:
                self.versions.append(published)
            case Idle() as idle:
                self.idle = idle
            case Round() as learned:
                self.idle, self.pool = None, learned.pool

    def errors_on_arrival(self) -> list[float]:
        """List 1 - vein IoU of the version in use on images new to it, in their order."""
        return [each.error_in_use for each in self.arrivals if each.error_in_use is not None]
