"""What a run starts from, learns from and is validated on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_veinseg import __version__
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.fingers import thin_near_duplicates
from napari_veinseg.data.pairing import Pairing
from napari_veinseg.data.sample import Fault, Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import Metric, ModelCard, TrainingData
from napari_veinseg.model.file import build_network, read_card, read_model
from napari_veinseg.model.store import STARTER, resolve
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.prepared_samples import PreparedSample, prepare_samples

if TYPE_CHECKING:
    from napari_veinseg.model.network import SegmentationNetwork

MAX_VALIDATION_IMAGES = 32
"""Images of a large hold-out that are judged again and again while training."""


@dataclass(frozen=True)
class RunData:
    """What a run works on.

    Parameters
    ----------
    card : ModelCard
        Of the base model, or that of a fresh one.
    network : SegmentationNetwork
        The weights to start from.
    train : list of PreparedSample
        What is learned from.
    holdout : list of Sample
        What is judged by; readable samples.
    fingers : tuple of int
        Fingers to learn from, and to be judged by.
    optimistic : bool
        Whether near duplicates may stand on both sides.
    faults : list of Fault
        Samples that were left out.
    """

    card: ModelCard
    network: "SegmentationNetwork"
    train: list[PreparedSample]
    holdout: list[Sample]
    fingers: tuple[int, int]
    optimistic: bool
    faults: list[Fault]

    def summary(self) -> dict[str, Any]:
        """Say what is trained and judged on, as the fields of a start event.

        Returns
        -------
        dict
            JSON values.
        """
        return {
            "train": {
                "images": len(self.train),
                "fingers": self.fingers[0],
                "vein_pixels": sum(sample.vein_pixels for sample in self.train),
            },
            "validation": {"images": len(self.holdout), "fingers": self.fingers[1]},
            "optimistic": self.optimistic,
            "faults": [fault.message for fault in self.faults],
        }

    @property
    def width_factor(self) -> float:
        """Width of the drawn veins over the width that is estimated on the images alone."""
        return float(np.exp(np.median([np.log(sample.width_factor) for sample in self.train])))

    def new_card(self, config: TrainingConfig, vein_iou: float | None) -> ModelCard:
        """Write the card of the trained model.

        Parameters
        ----------
        config : TrainingConfig
            The run's config.
        vein_iou : float or None
            Mean vein IoU of the hold-out's images, None without a hold-out.

        Returns
        -------
        ModelCard
            Without names of files or folders.
        """
        unit = "by image, optimistic" if self.optimistic else "by finger"
        metric = Metric(
            name="vein IoU",
            mean="mean of images",
            value=0.0 if vein_iou is None else vein_iou,
            data=f"hold-out of {len(self.holdout)} images, split {unit}",
        )
        widths = np.median([sample.vein_width for sample in self.train])
        seen = self.card.training_data if config.base else TrainingData()
        summary = (
            f"{len(self.train)} images, {sum(s.vein_pixels for s in self.train)} vein pixels, "
            f"median vein width {widths:.1f} px, augmentation {config.augmentation}"
        )
        return self.card.model_copy(
            update={
                "package_version": __version__,
                "name": "",
                "description": "Trained with veinseg train.",
                "vein_width_factor": self.width_factor,
                "parent": Path(config.base).stem if config.base else None,
                "training_data": TrainingData(
                    summary=f"{seen.summary}; then {summary}" if seen.summary else summary,
                    image_hashes=tuple(
                        dict.fromkeys(
                            [*seen.image_hashes, *(sample.content_hash for sample in self.train)]
                        )
                    ),
                ),
                "metrics": () if vein_iou is None else (metric,),
            }
        )


def load_training_data(config: TrainingConfig) -> RunData:
    """Read the base model and the dataset, drawing the split where it is not drawn yet.

    Parameters
    ----------
    config : TrainingConfig
        What is asked for.

    Returns
    -------
    RunData
        What the run works on.

    Raises
    ------
    VeinSegError
        If model or dataset cannot be read, or no usable sample is left to learn from.
    """
    card, network = _start(config)
    dataset = Dataset.open(config.dataset, config.finger_pattern)
    dataset.assign_split(config.validation_share, config.seed)
    unclear = _unclear(dataset.path)
    samples = [sample for sample in dataset.train if sample.stem not in unclear]
    validation = [sample for sample in dataset.validation if sample.stem not in unclear]
    if config.thin:
        samples = thin_near_duplicates(samples)
    train, faults = prepare_samples(samples, card, config.channel, config.invert)
    faults = [*unclear.values(), *faults]
    if not train:
        first = f" ({faults[0].message})" if faults else ""
        raise VeinSegError(
            f"{config.dataset} has no image with a usable mask to learn from{first}: add some."
        )
    judged, more_faults = prepare_samples(
        _some(validation, config.seed), card, config.channel, config.invert
    )
    usable = {sample.stem for sample in [*train, *judged]}
    holdout = [sample for sample in validation if sample.stem in usable]
    learned = [sample for sample in samples if sample.stem in usable]
    return RunData(
        card,
        network,
        train,
        holdout,
        (_fingers(learned), _fingers(holdout)),
        dataset.optimistic,
        faults + more_faults,
    )


def _unclear(dataset: Path) -> dict[str, Fault]:
    """Find the samples with several images or masks under one stem."""
    files = Pairing.read(dataset)
    return {stem: Fault(stem, sentence) for stem in files.stems for sentence in files.shared(stem)}


def _start(config: TrainingConfig) -> tuple[ModelCard, "SegmentationNetwork"]:
    import torch

    if config.base:
        return read_model(resolve(config.base))
    torch.manual_seed(config.seed)
    starter = read_card(resolve(STARTER))
    card = ModelCard(network=starter.network, working_vein_width=starter.working_vein_width)
    return card, build_network(card)


def _some(holdout: Sequence[Sample], seed: int) -> list[Sample]:
    order: npt.NDArray[np.intp] = np.random.default_rng(seed).permutation(len(holdout))
    return [holdout[i] for i in sorted(order[:MAX_VALIDATION_IMAGES])]


def _fingers(samples: Sequence[Sample]) -> int:
    return len({sample.finger for sample in samples if sample.finger})
