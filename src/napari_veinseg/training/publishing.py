"""Handing over a model that goes on learning: only what does better than the version in use."""

import copy
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
)
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.watch_events import Comparison

LEAST_GAIN = 0.005
"""Of `Outcome.cost`: for less a new version is not worth segmenting all images anew."""

_ENOUGH_HELD_OUT = 3  # images; with fewer, arrivals decide where there are any
_MOST_HELD_OUT = 8  # images of a comparison
_MOST_ARRIVALS = 8
_RECENT = 4  # arrivals that the threshold is chosen on; earlier ones are of other weights


@dataclass(frozen=True)
class Model:
    """Weights and what they are."""

    card: ModelCard
    network: SegmentationNetwork


class Versions:
    """The folder `versions` of a run: `0001.safetensors`, `0002.safetensors` and so on.

    A version is never changed or removed, so that one can go back to it; the newest is in use.
    """

    def __init__(
        self,
        run: Run,
        base: Model,
        settings: SegmentationSettings,
        device: str,
        output: Path | None = None,
    ) -> None:
        self._run, self._settings, self._device, self._output = run, settings, device, output
        self.number = self._newest()
        self.in_use = Model(*read_model(run.version(self.number))) if self.number else base
        self._thresholds = sorted({*THRESHOLDS, base.card.threshold, self.threshold})
        self._in_use_outcomes: dict[tuple[int, str, str], Outcomes] = {}
        # Outcomes of the version in use and of the latest weights on images that came since it was
        # published, before they were learned from: progressive validation (A. Blum, A. Kalai and
        # J. Langford, "Beating the hold-out", COLT 1999).
        self._arrivals: deque[tuple[Outcomes, Outcomes]] = deque(maxlen=_MOST_ARRIVALS)
        self._recent: deque[Outcomes] = deque(maxlen=_RECENT)

    def _newest(self) -> int:
        names = [path.stem for path in self._run.versions.glob("*.safetensors")]
        return max((int(name) for name in names if name.isdecimal()), default=0)

    @property
    def threshold(self) -> float:
        """That of the version in use."""
        return self.in_use.card.threshold

    def score_arrival(self, pair: Pair, latest: Model | None) -> tuple[Share, Share]:
        """Predict an image that nothing has learned from; `latest` is None where those are in use.

        Gives the vein IoU of the version in use and of the latest weights, at the threshold in use.
        """
        in_use = self._judge_in_use(pair)
        new = self._judge(latest, pair) if latest else in_use
        self._recent.append(new)
        if latest:
            self._arrivals.append((in_use, new))
        return in_use[self.threshold].vein_iou, new[self.threshold].vein_iou

    def compare(self, latest: Model, held_out: Sequence[Pair], step: int) -> Comparison | None:
        """Judge the latest weights and the version in use on images that neither has learned from.

        The latest weights at the threshold that would have cost least of late.

        These are held out, and have come since the version in use.  An arrival is predicted once,
        while the same few held-out images are looked at again and again, and what once did well on
        them by chance would stay in use for good: with few of them, arrivals decide alone.
        """
        arrivals = list(self._arrivals)
        few = len(held_out) < _ENOUGH_HELD_OUT
        held_out = [] if few and arrivals else held_out[-_MOST_HELD_OUT:]
        held = [(self._judge_in_use(pair), self._judge(latest, pair)) for pair in held_out]
        pairs = held + arrivals or [(each, each) for each in self._recent]  # of the threshold alone
        if not pairs:
            return None
        threshold = cheapest_threshold([*self._recent, *(new for _, new in held)], self.threshold)
        before = Outcome.of_all([in_use[self.threshold] for in_use, _ in pairs])
        after = Outcome.of_all([new[threshold] for _, new in pairs])
        return Comparison(
            step,
            before.vein_iou,
            after.vein_iou,
            "hold-out" if held_out else "arrivals",
            len(pairs),
            before.left,
            after.left,
            before.cost,
            after.cost,
            threshold,
        )

    def publish(self, latest: Model) -> None:
        """Write the next version; from now on it is in use, and the best model of the run.

        Raises
        ------
        VeinSegError or OSError
            If a file cannot be written; the version in use stays.
        """
        number = self._newest() + 1
        path = self._run.version(number)
        self._run.versions.mkdir(exist_ok=True)
        write_model(path, latest.card, latest.network)
        try:
            for target in filter(None, (self._run.best, self._output)):
                write_bytes(target, path.read_bytes())
        except OSError:
            path.unlink(missing_ok=True)  # nobody has been told of it
            raise
        self.number = number
        self.in_use = Model(latest.card, copy.deepcopy(latest.network))
        self._arrivals.clear()

    def _judge_in_use(self, pair: Pair) -> Outcomes:
        key = (self.number, pair.image_hash, pair.mask_hash)
        if key not in self._in_use_outcomes:
            self._in_use_outcomes[key] = self._judge(self.in_use, pair)
        return self._in_use_outcomes[key]

    def _judge(self, model: Model, pair: Pair) -> Outcomes:
        judged = VeinModel(model.card, model.network, self._device)
        return judge(judged, pair, self._settings, self._thresholds)
