"""Which weights a person gets of what was learned beside them: judged, handed over, taken back."""

import math

from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.training.averaging import interpolate
from napari_veinseg.training.learner import Learner
from napari_veinseg.training.patient_log import PatientLog
from napari_veinseg.training.reviewed_pool import ReviewedPool
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.versions import LEAST_GAIN, Model, Versions
from napari_veinseg.training.watch_events import Comparison, Published, as_line

_STEPS_A_VERSION = 160  # after a review, where arrivals decide: they say nothing new before
_LEARNED_SHARE = 0.7  # of the weights handed over: with less, new things suffer (correction.md)


class VersionChoice:
    """Decides which weights the person gets."""

    def __init__(
        self,
        run: Run,
        base: Model,
        learner: Learner,
        pool: ReviewedPool,
        versions: Versions,
        log: PatientLog,
    ) -> None:
        self._run, self._base, self._learner = run, base, learner
        self._pool, self._versions, self._log = pool, versions, log
        self._news_since: int | None = None  # the step; None where no version waits for more
        self._least_cost = math.inf

    def expect_more(self, step: int) -> None:
        """Remember that an image has come, from which a version is to learn."""
        self._least_cost = math.inf
        if self._news_since is None:
            self._news_since = step

    def latest(self, found: Comparison | None = None) -> Model:
        """Give the latest weights with a card of their own."""
        network: SegmentationNetwork = self._learner.average
        if self._run.config.base:
            network = interpolate(self._base.network, network, _LEARNED_SHARE)
        threshold = found.threshold if found else self._versions.first_threshold
        if not self._pool.train:
            card = self._versions.in_use.card.model_copy(update={"threshold": threshold})
            return Model(card, network)
        figure = found.latest if found and found.by == "hold-out" else None
        number = self._versions.number + 1
        return Model(self._pool.new_card(self._base.network, number, figure, threshold), network)

    def suit_base(self, step: int) -> None:
        """Hand the base over at another threshold, where it is in use and that saves work.

        One image after the other, or what one alone made seem cheap would stay in use for good.
        """
        found = self._versions.compare_thresholds(step)
        if found is not None:
            self._log.tell(as_line(found))
            if found.surely:
                self._hand_over(self._versions.base() if step else self.latest(found), found)

    def compare(self, step: int) -> bool:
        """Judge the latest weights, and hand them over where they do better.

        Says whether held-out images show that learning still helps; what arrivals say does not
        change before the next one.
        """
        held_out = list(self._pool.holdout.values())
        found = self._versions.compare(self.latest(), held_out, step)
        helps = False
        if found is not None:
            self._log.tell(as_line(found))
            if found.cost_latest < self._least_cost - LEAST_GAIN:
                self._least_cost = found.cost_latest
                helps = bool(held_out)
        if found is not None and found.by == "hold-out":
            if found.gain > LEAST_GAIN:
                self._hand_over(self.latest(found), found)
        elif self._news_since is not None and step - self._news_since >= _STEPS_A_VERSION:
            self._news_since = None
            self._follow_arrivals(found)
        return helps

    def _follow_arrivals(self, found: Comparison | None) -> None:
        """Hand over the latest weights where learning surely helped, the base where it harmed.

        Where the base is good already, what seems a little better costs the person work.
        """
        if found is None:
            # Nothing has judged it yet; where drawing all by hand is less work, none can be lost.
            if self._versions.is_worse_than_nothing:
                self._hand_over(self.latest(), None)
        elif found.surely:
            self._hand_over(self.latest(found), found)
        elif found.gain < -LEAST_GAIN and self._versions.learned:
            self._hand_over(self._versions.base(), found.reversed())

    def _hand_over(self, model: Model, found: Comparison | None) -> None:
        self._log.attempt(lambda: self._publish(model, found))

    def _publish(self, model: Model, found: Comparison | None) -> None:
        self._versions.publish(model)
        number = self._versions.number
        is_base = model.card.history == self._base.card.history
        images = 0 if is_base else len(self._pool.learned)
        names = ("in_use", "latest", "by", "left_in_use", "left_latest")
        figures = {name: getattr(found, name) for name in names} if found else {}
        path, threshold = str(self._run.version(number)), model.card.threshold
        self._log.tell(as_line(Published(number, path, images, threshold=threshold, **figures)))
