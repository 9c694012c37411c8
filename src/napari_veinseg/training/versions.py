"""The versions of a model that goes on learning, and how they are judged against each other."""

import copy
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from napari_veinseg.data.array_types import Share
from napari_veinseg.data.sample import Pair
from napari_veinseg.files import write_bytes
from napari_veinseg.model.card import ModelCard
from napari_veinseg.model.file import read_model, write_model
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel
from napari_veinseg.training.operating_point import (
    THRESHOLDS,
    Outcome,
    Outcomes,
    cheapest_threshold,
    judge,
    saves_work,
)
from napari_veinseg.training.reporter import Stop
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.watch_events import Comparison

LEAST_GAIN = 0.005
"""Of `Outcome.cost`: for less a new version is not worth segmenting all images anew."""

_ENOUGH_HELD_OUT = 3  # images; with fewer, arrivals decide where there are any
_MOST_HELD_OUT = 8  # images of a comparison
_MOST_ARRIVALS = 8
_RECENT = 4  # arrivals that the base's threshold is chosen on


@dataclass(frozen=True)
class Model:
    """Weights and what they are."""

    card: ModelCard
    network: SegmentationNetwork


class _Arrival(NamedTuple):
    """An image as it was predicted before anything was learned from it, once and for all.

    So what is learned is judged by progressive validation (A. Blum, A. Kalai and J. Langford,
    "Beating the hold-out", COLT 1999).
    """

    base: Outcomes
    in_use: Outcomes
    latest: Outcomes
    version: int  # that was in use


class Versions:
    """The folder `versions` of a run: `0001.safetensors`, `0002.safetensors` and so on.

    A version is never changed or removed, so that one can go back to it; the newest is in use.
    Judging raises `Cancelled` within a second or two of a `stop` that says so.
    """

    def __init__(
        self,
        run: Run,
        base: Model,
        settings: SegmentationSettings,
        device: str,
        output: Path | None = None,
        stop: Stop | None = None,
    ) -> None:
        self._run, self._settings, self._device, self._output = run, settings, device, output
        self._stop = stop
        self.number = self._newest()
        self.in_use = Model(*read_model(run.version(self.number))) if self.number else base
        self._base = base
        self.learned = not _are_equal(base.network, self.in_use.network)
        """Whether what is in use has learned here; else it is the base, at whatever threshold."""
        self._thresholds = sorted({*THRESHOLDS, base.card.threshold, self.threshold})
        self._in_use_outcomes: dict[tuple[int, str, str], Outcomes] = {}
        self._by_base: deque[Outcomes] = deque(maxlen=_RECENT)  # of what came last
        self._arrivals: deque[_Arrival] = deque(maxlen=_MOST_ARRIVALS)

    def _newest(self) -> int:
        names = [path.stem for path in self._run.versions.glob("*.safetensors")]
        return max((int(name) for name in names if name.isdecimal()), default=0)

    @property
    def threshold(self) -> float:
        """That of the version in use."""
        return self.in_use.card.threshold

    @property
    def first_threshold(self) -> Share:
        """What the latest weights are used at as long as no image has shown a better one.

        Not that of the base in use: it may be high, against all that the base draws too much.
        """
        return self.threshold if self.learned else self._base.card.threshold

    @property
    def is_worse_than_nothing(self) -> bool:
        """Whether all that is known is that masks of the base in use are more work than none."""
        seen = [each[self.threshold] for each in self._by_base]
        left = Outcome.of_all(seen).left if seen and not self.learned else None
        return left is not None and left > 1

    def score_arrival(self, pair: Pair, latest: Model | None) -> tuple[Share, Share]:
        """Predict an image that nothing has learned from; `latest` is None before the first step.

        Gives the vein IoU of the version in use and of the latest weights, at the threshold in use.
        """
        in_use = self._judge_in_use(pair)
        base = self._judge(self._base, pair) if self.learned else in_use
        self._by_base.append(base)
        if latest is None:
            return in_use[self.threshold].vein_iou, in_use[self.threshold].vein_iou
        new = self._judge(latest, pair)
        self._arrivals.append(_Arrival(base, in_use, new, self.number))
        return in_use[self.threshold].vein_iou, new[self.threshold].vein_iou

    def compare_thresholds(self, step: int) -> Comparison | None:
        """Judge the base in use at the threshold that would have cost least of late.

        None where what is in use has learned, or nothing has come.
        """
        if self.learned or not self._by_base:
            return None
        threshold = self._base_threshold()
        before, after = ([each[t] for each in self._by_base] for t in (self.threshold, threshold))
        return _compared(before, after, "arrivals", step, threshold)

    def compare(self, latest: Model, held_out: Sequence[Pair], step: int) -> Comparison | None:
        """Judge what is learned on images that it has not learned from; None where there is none.

        With a hold-out the latest weights are held against the version in use, on it and on what
        has come since that.  An arrival is predicted once, while the same few held-out images are
        looked at again and again, and what once did well on them by chance would stay in use for
        good: with few of them, arrivals decide alone.  There what is judged is not one set of
        weights but the learning: each arrival as the latest weights of then predicted it, against
        the base.  Few arrivals come while a version is in use, and they say more about the images
        than about two versions.
        """
        arrivals = list(self._arrivals)
        few = len(held_out) < _ENOUGH_HELD_OUT
        held_out = [] if few and arrivals else held_out[-_MOST_HELD_OUT:]
        held = [(self._judge_in_use(pair), self._judge(latest, pair)) for pair in held_out]
        if not held and not arrivals:
            return None
        seen = [*(each.latest for each in arrivals), *(new for _, new in held)]
        threshold = cheapest_threshold(seen, self.first_threshold)
        if held:
            pairs = held + [(a.in_use, a.latest) for a in arrivals if a.version == self.number]
            known = self.threshold
        else:
            pairs, known = [(a.base, a.latest) for a in arrivals], self._base_threshold()
        return _compared(
            [before[known] for before, _ in pairs],
            [after[threshold] for _, after in pairs],
            "hold-out" if held else "arrivals",
            step,
            threshold,
        )

    def _base_threshold(self) -> Share:
        return cheapest_threshold(list(self._by_base), self._base.card.threshold, keeps_iou=True)

    def base(self) -> Model:
        """Return what learning began with, at the threshold that suits what has come."""
        card = self._base.card.model_copy(update={"threshold": self._base_threshold()})
        return Model(card, self._base.network)

    def publish(self, model: Model) -> None:
        """Write the next version; from now on it is in use, and the best model of the run.

        Raise VeinSegError or OSError if a file cannot be written; the version in use stays.
        """
        number = self._newest() + 1
        path = self._run.version(number)
        self._run.versions.mkdir(exist_ok=True)
        write_model(path, model.card, model.network)
        try:
            for target in filter(None, (self._run.best, self._output)):
                write_bytes(target, path.read_bytes())
        except OSError:
            path.unlink(missing_ok=True)  # nobody has been told of it
            raise
        self.number = number
        self.in_use = Model(model.card, copy.deepcopy(model.network))
        self.learned = not _are_equal(self._base.network, model.network)

    def _judge_in_use(self, pair: Pair) -> Outcomes:
        key = (self.number, pair.image_hash, pair.mask_hash)
        if key not in self._in_use_outcomes:
            self._in_use_outcomes[key] = self._judge(self.in_use, pair)
        return self._in_use_outcomes[key]

    def _judge(self, model: Model, pair: Pair) -> Outcomes:
        judged = VeinModel(model.card, model.network, self._device)
        return judge(judged, pair, self._settings, self._thresholds, self._stop)


def _compared(
    before: Sequence[Outcome], after: Sequence[Outcome], by: str, step: int, threshold: Share
) -> Comparison:
    known, new = Outcome.of_all(before), Outcome.of_all(after)
    return Comparison(
        step,
        known.vein_iou,
        new.vein_iou,
        by,
        len(after),
        known.left,
        new.left,
        known.cost,
        new.cost,
        threshold,
        saves_work(before, after),
    )


def _are_equal(one: SegmentationNetwork, other: SegmentationNetwork) -> bool:
    values = other.state_dict()
    return all(torch.equal(v.cpu(), values[name].cpu()) for name, v in one.state_dict().items())
