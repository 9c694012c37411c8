"""What to say of a training: whether the new model is better, what to do next, what weakens it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_source import origin_notes
from napari_veinseg.errors import VeinSegError
from napari_veinseg.training.events import RunStatus
from napari_veinseg.wording import some_of

_SAME = 0.995  # vein IoU of a model's masks with masks that nobody has corrected
_NOTES = 4  # sentences; a dataset may have as many faults as images
_FEW = 5  # images, below which the figure says less than a second opinion of the masks
_SUBJECTS_UNKNOWN = "It is not known which images show the same subject: the score may be too good."
_TIME_IS_UP = "The time is up: look at old and new below, and keep the new model or discard it."
_RESUMABLE = (
    "Resume goes on with it, from where it last saved and with the settings that it began with."
)


@dataclass(frozen=True)
class Verdict:
    """Sentences, the first of which must do for a glance."""

    headline: str
    advice: str
    figures: str
    caveats: tuple[str, ...]
    judged: bool = False
    """Whether the figures tell which model is the better one."""
    better: bool = False
    """Whether that is the new one."""


def judge(status: RunStatus, old_name: str, sources: Mapping[str, str]) -> Verdict:
    """Judge a run; `sources` says where the dataset's masks came from, by stem."""
    rows = status.comparison()
    uncorrected = bool(rows) and all(old > _SAME for _, old, _ in rows)
    truths = [] if uncorrected else [sources.get(stem, "") for stem, _, _ in rows]
    caveats = (*origin_notes(truths, [old_name]), *notes(status))
    if rows and status.start.get("optimistic"):
        caveats = (_SUBJECTS_UNKNOWN, *caveats)
    if not rows:
        headline = f"Not judged: {_why_not(status)}."
        advice = "Look at the new model's masks before you trust it."
        return Verdict(headline, advice, "", caveats)
    old, new = (sum(column) / len(rows) for column in list(zip(*rows, strict=True))[1:])
    higher = some_of(sum(row[2] > row[1] for row in rows), len(rows), "image")
    digits = 2 if f"{old:.2f}" != f"{new:.2f}" else 4  # else one would read that nothing changed
    before, now = f"{old:.{digits}f}", f"{new:.{digits}f}"
    figures = (
        f"Mean vein IoU: {old:.3f} with '{old_name}', {new:.3f} with the new model "
        f"(epoch {status.offered_epoch}); better on {higher}."
    )
    if uncorrected:
        headline = f"Not judged: nobody has corrected these masks of '{old_name}'."
        advice = (
            f"The true masks are those of '{old_name}' as it drew them, which says nothing about "
            "the new model: correct masks of held-out images, or look at both models' masks."
        )
    elif status.base_is_best:
        headline = f"The old model is the better one here: vein IoU {before}, the new {now}."
        advice = _advice(rows)
    else:
        headline = f"The new model is better: vein IoU {before} → {now}, higher on {higher}."
        advice = _how_sure(rows, status)
    better = not uncorrected and not status.base_is_best
    return Verdict(headline, advice, figures, caveats, judged=not uncorrected, better=better)


def sources_of(dataset: Path) -> dict[str, str]:
    """Read where a dataset's masks came from, those that are held out first.

    A dataset that is gone meanwhile has none.
    """
    try:
        samples = sorted(Dataset.open(dataset), key=lambda each: each.split != "validation")
        return {sample.stem: sample.source for sample in samples}
    except VeinSegError:
        return {}


def describe_progress(status: RunStatus) -> str:
    """Say how far a run is, and on what it computes."""
    left = status.seconds_left
    time = "" if left is None else f"{_duration(left)} left, "
    device = f"on {status.start['device']}: {status.start['reason']}"
    return " ".join([f"Training, {time}{device}.", *notes(status)])


def describe_end(end: Mapping[str, Any], failed: bool, learned: bool, resumable: bool) -> str:
    """Say how a run has ended; why it failed is told elsewhere."""
    if end.get("reason") == "budget":
        return _TIME_IS_UP
    if not learned:
        nothing = "The training ended before it had learned anything: Start begins again."
        return nothing if failed else "Stopped before the first step."
    how = "The training was cut short." if failed else str(end.get("text") or "Stopped.")
    return f"{how} {_RESUMABLE}" if resumable else how


def describe_cut_short(worked: float) -> str:
    """Say that a run of before can go on; it worked last at that time, in seconds since 1970."""
    when = time.strftime("%d %B, %H:%M", time.localtime(worked))
    return f"A training on these images was cut short on {when}: Resume goes on with it."


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def notes(status: RunStatus) -> list[str]:
    """Say what the run left out, and what weakens its figures."""
    said = [*status.start.get("caveats", []), *status.start.get("faults", [])]
    more = len(said) - _NOTES
    return [*said[:_NOTES], *([f"And {more} more such notes: see its log."] if more > 0 else [])]


def _why_not(status: RunStatus) -> str:
    holdout = status.start.get("validation", {})
    if holdout.get("images"):
        how = "was stopped" if status.end.get("reason") == "stopped" else "ended"
        plotted = "; the point in the plot is the old model" if 0 in status.scores else ""
        return f"it {how} before the new model was tried on the held-out images{plotted}"
    if holdout.get("seen"):
        return "the held-out images were learned from before"
    return "there was no image to judge by"


def _how_sure(rows: list[tuple[str, float, float]], status: RunStatus) -> str:
    """Say where so little was held out that the next subject may tell the opposite."""
    subjects = status.start.get("validation", {}).get("fingers", 0)
    if len(rows) >= _FEW and subjects != 1:
        return ""
    images = "one image" if len(rows) == 1 else f"{len(rows)} images"
    of = " of one subject" if subjects == 1 and len(rows) > 1 else ""
    return f"Only {images}{of} judged it, which may be chance: look at both masks, too."


def _advice(rows: list[tuple[str, float, float]]) -> str:
    """Say what would help most."""
    worst = [stem for stem, _, new in sorted(rows, key=lambda row: row[2])[:2]]
    few = " Few images were held out: a second opinion of the masks is worth more than the figure."
    return (
        f"Review more images like {' and '.join(worst)}, which the new model knows least, or train "
        f"for longer." + (few if len(rows) < _FEW else "")
    )
