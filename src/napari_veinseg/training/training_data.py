"""What a run starts from, learns from and is validated on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_veinseg import __version__
from napari_veinseg.data.array_types import Share
from napari_veinseg.data.sample import Fault, Pair
from napari_veinseg.data.split import may_leak
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import Metric, ModelCard, TrainingData
from napari_veinseg.model.file import build_network, read_card, read_model
from napari_veinseg.model.network import SegmentationNetwork
from napari_veinseg.model.store import STARTER, resolve
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.data_record import DataRecord
from napari_veinseg.training.hold_out_leakage import (
    drop_seen,
    drop_twins,
    thin_near_duplicates,
    warn_of_near_duplicates,
)
from napari_veinseg.training.prepared_samples import PreparedSample
from napari_veinseg.training.read_dataset import HeldOutSample, read_dataset
from napari_veinseg.wording import counted


@dataclass(frozen=True)
class RunData:
    """What a run works on."""

    card: ModelCard
    """Of the base model, or that of a fresh one."""
    network: SegmentationNetwork
    """The weights to start from."""
    train: list[PreparedSample]
    """What is learned from."""
    holdout: list[Pair]
    """What is validated on."""
    optimistic: bool
    """Whether near duplicates may stand on both sides."""
    record: DataRecord
    """What the run keeps of all this."""
    seen: int = 0
    """Held-out images that are not validated on: the base model or this run has learned from
    them."""
    fingers: tuple[int, int] = (0, 0)
    """Fingers to learn from, and held out."""
    left_out: Sequence[Fault] = ()
    """Samples that are neither learned from nor held out."""
    caveats: Sequence[str] = ()
    """What weakens the figures, or should be looked at before they are believed."""

    def summary(self) -> dict[str, Any]:
        """Say what is trained and validated on, as the fields of a start event."""
        return {
            "train": {
                "images": len(self.train),
                "fingers": self.fingers[0],
                "vein_pixels": sum(sample.vein_pixels for sample in self.train),
            },
            "validation": {
                "images": len(self.holdout),
                "fingers": self.fingers[1],
                "seen": self.seen,
            },
            "optimistic": self.optimistic,
            "faults": [fault.message for fault in self.left_out],
            "caveats": list(self.caveats),
        }

    def new_card(self, config: TrainingConfig, vein_iou: Share | None) -> ModelCard:
        """Write the card of the trained model, without names of files or folders.

        The vein IoU is the mean of the hold-out's images, None without a hold-out.
        """
        metrics = []
        if vein_iou is not None:
            unit = "by image, optimistic" if self.optimistic else "by subject"
            data = f"hold-out of {counted(len(self.holdout), 'image')}, split {unit}"
            metrics = [Metric(name="vein IoU", mean="mean of images", value=vein_iou, data=data)]
        seen = self.card.training_data
        base = Path(config.base).stem if config.base else None
        learned = counted(len(self.train), "image")
        pixels = counted(sum(sample.vein_pixels for sample in self.train), "vein pixel")
        width = np.median([sample.vein_width for sample in self.train])
        summary = (
            f"{learned}, {pixels}, median vein width {width:.1f} px, "
            f"augmentation {config.augmentation}"
        )
        return self.card.model_copy(
            update={
                "package_version": __version__,
                "name": "",
                "description": f"Learned from {learned}"
                + (f", beginning with {base}" if base else ""),
                "parent": base,
                "training_data": TrainingData(
                    summary=f"{seen.summary}; then {summary}" if seen.summary else summary,
                    image_hashes=tuple(dict.fromkeys([*seen.image_hashes, *self.record.learned])),
                ),
                "metrics": tuple(metrics),
                "history": (),  # of the base
            }
        )


def load_training_data(config: TrainingConfig, earlier: DataRecord | None = None) -> RunData:
    """Read the base model and the dataset, drawing the split where it is not drawn yet."""
    earlier = earlier or DataRecord()
    card, network = read_base(config)
    read = read_dataset(config, card, earlier.split)
    train, holdout, twins = drop_twins(read.train, read.holdout)
    if config.thin:
        train = thin_near_duplicates(train)
    left_out = [*read.left_out, *twins]
    if not train:
        first = f" ({left_out[0].message})" if left_out else ""
        raise VeinSegError(
            f"{config.dataset} has no image with a usable mask to learn from{first}: add some."
        )
    held_out = len(holdout)
    seen = {*card.training_data.image_hashes}
    holdout, of_base = drop_seen(holdout, seen, Path(config.base or "").stem)
    holdout, of_run = drop_seen(holdout, {*earlier.learned}, "This run")
    validated = [sample for sample in holdout if sample.pair]
    caveats = [read.split_note, of_base, of_run, warn_of_near_duplicates(train, validated)]
    caveats += [sample.warning for sample in train] + [sample.warning for sample in holdout]
    learned = [*earlier.learned, *(sample.image_hash for sample in train)]
    record = DataRecord(
        split=earlier.split | {sample.stem: sample.split for sample in read.samples},
        learned=tuple(dict.fromkeys(learned)),
        validated={each.stem: f"{each.image_hash} {each.mask_hash}" for each in validated},
    )
    return RunData(
        card,
        network,
        train,
        [sample.pair for sample in validated if sample.pair],
        may_leak(read.samples),
        record,
        held_out - len(holdout),
        (_count_fingers(train), _count_fingers(holdout)),
        left_out,
        [caveat for caveat in caveats if caveat],
    )


def read_base(config: TrainingConfig) -> tuple[ModelCard, SegmentationNetwork]:
    """Read the model to start from, or make one with random weights."""
    if config.base:
        return read_model(resolve(config.base))
    torch.manual_seed(config.seed)
    starter = read_card(resolve(STARTER))
    card = ModelCard(network=starter.network, working_vein_width=starter.working_vein_width)
    return card, build_network(card)


def _count_fingers(samples: list[PreparedSample] | list[HeldOutSample]) -> int:
    return len({sample.finger for sample in samples if sample.finger})
