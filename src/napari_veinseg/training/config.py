"""What a training run is asked to do; it is kept as `config.json` in the run's folder."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_veinseg.data.grey import Channel
from napari_veinseg.segmentation.settings import SegmentationSettings

Augmentation = Literal["none", "photometric", "full"]


class TrainingConfig(BaseModel):
    """Everything that decides what a run does.

    On a CPU the same config with a budget in epochs gives the same weights, for one number of
    threads and one precision.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dataset: Path
    base: str | None = "starter"
    """Name or path of the model to start from; None starts from random weights."""
    watch: bool = False
    """Whether to follow the dataset and to learn from what is reviewed there, without an end."""
    minutes: Annotated[float, Field(gt=0)] | None = None
    """Budget in minutes of training and judging; loading torch and reading the images come before.
    Exactly one of the two budgets is given, and none to a run that watches."""
    epochs: Annotated[int, Field(gt=0)] | None = None
    """Budget in epochs."""
    augmentation: Augmentation = "full"
    """How crops are changed at random."""
    finger_pattern: str | None = None
    """Regular expression whose first group is the finger in a stem."""
    validation_share: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    """Share of the samples to hold out when the split is drawn, in [0, 0.5]."""
    thin: bool = False
    """Whether near duplicates of a finger are left out."""
    channel: Channel = "auto"
    """What to take from a colour image."""
    invert: bool = False
    """Whether veins are bright."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the split, the crops and fresh weights."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:N` or `mps`."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the network's arithmetic; `auto` is bfloat16 where the device computes faster in it.
    Weights, loss and validation are float32 in either case."""
    batch_size: Annotated[int, Field(ge=1)] = 4
    """Crops a step, over all processes."""
    steps_per_epoch: Annotated[int, Field(ge=1)] | None = None
    """None is one pass over the samples, but at least 20 steps."""
    crop: Annotated[int, Field(ge=16, multiple_of=16)] = 160
    """Largest side of a crop, in px at working width."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """The highest of the schedule."""
    warm_up: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of the budget in which the rate rises."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    """Of AdamW."""
    clip: Annotated[float, Field(gt=0)] = 1.0
    """Largest norm of a step's gradient."""
    averaging: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """How much of the running average of the weights a step keeps; 0 takes the weights as they
    are."""
    cldice_weight: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the soft clDice term of the loss."""
    freeze_statistics: bool = False
    """Whether the batch statistics stay those of the base; letting them follow the new images gave
    a higher vein IoU, and inference uses fixed ones in either case."""
    patience: Annotated[int, Field(ge=1)] = 40
    """Validations without improvement after which the run ends."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that prepare crops ahead; 0 leaves it to a thread."""

    @property
    def settings(self) -> SegmentationSettings:
        """How the images are read when they are segmented."""
        return SegmentationSettings(channel=self.channel, invert=self.invert)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        budgets = [self.minutes, self.epochs]
        if self.watch and budgets != [None, None]:
            raise ValueError("what watches a dataset has no end: give neither minutes nor epochs")
        if not self.watch and budgets.count(None) != 1:
            raise ValueError("give a budget in minutes or in epochs")
        return self
