"""The reviewed samples of a dataset that people work on, as they come: learned from or held out."""

from collections.abc import Iterable
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from napari_veinseg.data.array_types import Share
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Fault, Pair, Sample, read_pairs
from napari_veinseg.data.split import may_leak
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import LearnedImage, ModelCard
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.data_record import DataRecord, Kept
from napari_veinseg.training.prepared_samples import PreparedSample, prepare_sample
from napari_veinseg.training.read_dataset import draw_and_keep_split
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.training_data import RunData


class ArrivalRecord(BaseModel):
    """A sample as it came; written down before anything is learned from it."""

    model_config = ConfigDict(frozen=True)

    stem: str
    image_hash: str
    mask_hash: str
    held_out: bool
    """Whether it is only validated on."""
    error_in_use: float | None
    """See `watch_events.Arrival`."""
    version: int
    """The version in use then."""


class _Records(Kept):
    split: dict[str, str] = Field(default_factory=dict)
    arrivals: list[ArrivalRecord] = Field(default_factory=list)


class ReviewedPool:
    """What is learned from and what is held out, and the record in the run of how it came."""

    def __init__(self, run: Run, card: ModelCard) -> None:
        self._run, self._card = run, card
        self._records = _Records.read(run.arrivals) or _Records()
        self.train: dict[str, PreparedSample] = {}
        self.holdout: dict[str, Pair] = {}
        self._samples: dict[str, Sample] = {}

    @property
    def _config(self) -> TrainingConfig:
        return self._run.config  # the pattern of names may be another one later

    @property
    def arrivals(self) -> list[ArrivalRecord]:
        """All arrivals, in order."""
        return self._records.arrivals

    @property
    def learned(self) -> tuple[str, ...]:
        """Hashes of the images that were learned from in this run, also of those that are gone."""
        return tuple(dict.fromkeys(a.image_hash for a in self.arrivals if not a.held_out))

    @property
    def errors(self) -> dict[str, float]:
        """Error on arrival by stem, where it is known."""
        return {a.stem: a.error_in_use for a in self.arrivals if a.error_in_use is not None}

    def new_card(
        self, base: SegmentationNetwork, version: int, vein_iou: Share | None, threshold: Share
    ) -> ModelCard:
        """Write the card of a version that has learned from the pool, and began with the base.

        The vein IoU is the mean of the hold-out, None where that did not judge it.  The threshold
        suits the reviewed images; the card says so where the base has another.
        """
        data = RunData(
            card=self._card,
            network=base,
            train=list(self.train.values()),
            holdout=list(self.holdout.values()),
            optimistic=may_leak(self._samples.values()),
            record=DataRecord(learned=self.learned),
        )
        description, before = f"Version {version} of what learns beside a person.", self._card
        if threshold != before.threshold:
            description += (
                f" Its threshold of {threshold:g} was chosen for the images that it learnt from; "
                f"for others begin with {before.threshold:g}."
            )
        history = tuple(
            LearnedImage(
                image_hash=each.image_hash,
                error_on_arrival=each.error_in_use,
                version=each.version,
                held_out=each.held_out,
            )
            for each in self.arrivals
        )
        update = {"description": description, "threshold": threshold, "history": history}
        return data.new_card(self._config, vein_iou).model_copy(update=update)

    def read(
        self, samples: Iterable[Sample], renamed: Iterable[Sample] = ()
    ) -> tuple[list[tuple[Pair, bool]], list[Fault]]:
        """Read new samples, and say for each whether it is held out; name what cannot be used.

        With them come those that stand on the other side now: their finger was drawn anew.
        """
        read = list(read_pairs(samples))
        new = {each.sample.stem: each.sample for each in read if isinstance(each, Pair)}
        old = {each.stem: each for each in renamed if each.stem in self._samples}
        before = {stem: sample.split for stem, sample in self._samples.items()}
        self._samples |= new | old
        split = self._split() if new or old else {}
        there = {*self.train, *self.holdout, *old} - {*new}
        moved = [
            self._samples[stem]
            for stem, side in split.items()
            if stem in there and side != before[stem]
        ]
        read += read_pairs(moved)
        found = [each for each in read if isinstance(each, Pair)]
        faults = [each for each in read if isinstance(each, Fault)]
        return [(pair, split[pair.sample.stem] == "validation") for pair in found], faults

    def _split(self) -> dict[str, str]:
        dataset = Dataset.open(self._config.dataset, self._config.finger_pattern)
        kept = self._records.split
        samples = [
            replace(sample, split=dataset[stem].split or kept.get(stem, ""))
            if stem in dataset
            else sample
            for stem, sample in self._samples.items()
        ]
        split, _note = draw_and_keep_split(dataset, samples, kept, self._config)
        self._records.split.update(split)
        self._samples = {s.stem: replace(s, split=split[s.stem]) for s in samples}
        return split

    def is_known(self, pair: Pair) -> bool:
        """Tell whether this very image and mask have arrived before."""
        content = (pair.sample.stem, pair.image_hash, pair.mask_hash)
        return any((a.stem, a.image_hash, a.mask_hash) == content for a in self.arrivals)

    def has_arrived(self, pair: Pair) -> bool:
        """Tell whether this image has arrived before, be it with another mask or only held out."""
        return any(each.image_hash == pair.image_hash for each in self.arrivals)

    def is_seen(self, pair: Pair) -> bool:
        """Tell whether it was learned from, here or by the base: no figure of it is honest."""
        return pair.image_hash in {*self._card.training_data.image_hashes, *self.learned}

    def record(self, arrival: ArrivalRecord) -> None:
        """Write an arrival down; on the disk before anything is learned from it."""
        self._records.arrivals.append(arrival)
        self._records.write(self._run.arrivals)

    def add(self, pair: Pair, held_out: bool) -> None:
        """Let a sample be learned from or validated on.

        Raise VeinSegError if it cannot be learned from, or another sample has its pixels on the
        other side.
        """
        stem = pair.sample.stem
        self.remove(stem)
        if held_out and self.is_seen(pair):
            raise VeinSegError(f"{stem} is held out but was learned from: it is left out.")
        held = {each.image_hash: name for name, each in self.holdout.items()}
        if not held_out and pair.image_hash in held:
            twin = held[pair.image_hash]
            raise VeinSegError(
                f"{stem} has the same pixels as {twin}, which is held out: it is not learned from."
            )
        prepared = prepare_sample(pair, self._card, self._config.channel, self._config.invert)
        if held_out:
            self.holdout[stem] = pair
        else:
            self.train[stem] = prepared

    def remove(self, stem: str) -> None:
        """Forget a sample; that it was learned from stays on record."""
        self.train.pop(stem, None)
        self.holdout.pop(stem, None)
