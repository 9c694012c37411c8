"""Reading a dataset for a run: each file once, each sample sound, the split drawn among those."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeAlias

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Fault, Pair, Sample, read_pair
from napari_veinseg.data.split import choose_judged, crossing_fingers, draw_split
from napari_veinseg.errors import VeinSegError, naming
from napari_veinseg.model.card import ModelCard
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.prepared_samples import KnownSample, PreparedSample, prepare_sample
from napari_veinseg.wording import counted


@dataclass(frozen=True)
class HeldOutSample(KnownSample):
    """A sample of the hold-out."""

    pair: Pair | None
    """Image and mask, of those that are validated on."""


ReadSample: TypeAlias = PreparedSample | HeldOutSample | Fault


@dataclass(frozen=True)
class ReadDataset:
    """What a dataset gives to a run."""

    samples: tuple[Sample, ...]
    """The usable ones, with the split that holds for this run."""
    train: list[PreparedSample]
    """What is learned from."""
    holdout: list[HeldOutSample]
    """What is held out."""
    left_out: list[Fault]
    """What is neither, and why."""
    split_note: str
    """Says so where fingers were drawn anew, or the split could not be written into the dataset."""


def read_dataset(
    config: TrainingConfig, card: ModelCard, earlier_split: Mapping[str, str]
) -> ReadDataset:
    """Read all samples, and draw the split among the usable ones where it is not drawn yet.

    What the run has kept of an earlier sitting, `earlier_split`, stands where `samples.csv` is
    silent, as for a dataset that cannot be written.
    """
    dataset = Dataset.open(config.dataset, config.finger_pattern)
    samples = [replace(s, split=s.split or earlier_split.get(s.stem, "")) for s in dataset]
    planned = draw_split(samples, config.validation_share, config.seed)
    read = _read_all(samples, planned, config, card)
    samples = [each for each in samples if not isinstance(read[each.stem], Fault)]
    split, note = draw_and_keep_split(dataset, samples, earlier_split, config)
    note = " ".join(each for each in (_say_redrawn(samples), note) if each)
    moved = [sample for sample in samples if split[sample.stem] != planned[sample.stem]]
    read |= _read_all(moved, split, config, card)
    found = list(read.values())
    return ReadDataset(
        tuple(replace(sample, split=split[sample.stem]) for sample in samples),
        [each for each in found if isinstance(each, PreparedSample)],
        [each for each in found if isinstance(each, HeldOutSample)],
        [*dataset.left_out, *(each for each in found if isinstance(each, Fault))],
        note,
    )


def _say_redrawn(samples: Sequence[Sample]) -> str:
    crossing = crossing_fingers(samples)
    if not crossing:
        return ""
    subjects = counted(len(crossing), "subject")
    return (
        f"The images of {subjects} were held out or learned from anew, whole subjects at a time: "
        "they were split before it was known what they show."
    )


def draw_and_keep_split(
    dataset: Dataset, usable: list[Sample], earlier: Mapping[str, str], config: TrainingConfig
) -> tuple[dict[str, str], str]:
    """Draw what is not drawn yet, and write it into the dataset where that can be written.

    Gives 'train' or 'validation' by stem, and a note where the run alone keeps it.
    """
    stems = {sample.stem for sample in usable}
    drawn = draw_split(usable, config.validation_share, config.seed)
    if all(sample.split == drawn[sample.stem] for sample in usable):
        return drawn, ""
    note = "This run alone keeps which images are held out"
    there = stems & {sample.stem for sample in dataset}  # one that learns beside knows gone ones
    if any(stem in earlier and not dataset[stem].split for stem in there):
        return drawn, f"{note}, as when it began."
    try:
        dataset.assign_split(config.validation_share, config.seed, usable=stems)
    except VeinSegError as error:
        return drawn, f"{note}: {error}"
    # As written: another program may have drawn it meanwhile.
    return drawn | {s.stem: s.split for s in dataset if s.stem in stems and s.split}, ""


def _read_all(
    samples: Sequence[Sample], split: Mapping[str, str], config: TrainingConfig, card: ModelCard
) -> dict[str, ReadSample]:
    held_out = [s.stem for s in samples if split[s.stem] == "validation"]
    validated = choose_judged(held_out, config.seed)

    def read(sample: Sample) -> ReadSample:
        pair = read_pair(sample)
        if isinstance(pair, Fault):
            return pair
        try:
            # Also of what is held out: what could not be learned from is no use in the split.
            with naming(sample.image_path):
                prepared = prepare_sample(pair, card, config.channel, config.invert)
        except VeinSegError as error:
            return Fault(sample.stem, str(error))
        if split[sample.stem] == "train":
            return prepared
        return HeldOutSample(*KnownSample.facts(pair), pair if sample.stem in validated else None)

    with ThreadPoolExecutor() as threads:
        found = threads.map(read, samples)
        return {sample.stem: each for sample, each in zip(samples, found, strict=True)}
