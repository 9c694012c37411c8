"""The card of a model: what it is, how to feed it, what it was trained on, how good it is."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator

from napari_veinseg import __version__

FORMAT_VERSION = 2
"""Highest one of a model file that is understood; a file with a higher one is refused.

1 knows no scales: what reads no further would look at one width only, and draw another mask.
"""

Count = Annotated[int, Field(ge=1, le=1024)]
Percentile = Annotated[float, Field(ge=0, le=100)]
Scale = Annotated[float, Field(ge=0.25, le=4)]
# Numbers alone: MONAI runs what a text or a nested part of an exported bundle says.
Options = dict[str, bool | int | float | None]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class _NetworkPart(_Part):
    # An argument that this version does not know would silently build another network.
    model_config = ConfigDict(extra="forbid")


class DenseUNetArguments(_NetworkPart):
    """Arguments of `model.network.DenseUNet`, with its defaults."""

    architecture: Literal["DenseUNet"] = "DenseUNet"
    spatial_dims: Literal[2] = 2
    in_channels: Literal[1] = 1
    out_channels: Literal[1] = 1
    growth_rate: Annotated[int, Field(ge=1, le=128)] = 16
    layers: Annotated[
        tuple[Annotated[int, Field(ge=1, le=32)], ...], Field(min_length=1, max_length=7)
    ] = (2, 3, 4, 6)
    stem_channels: Count = 32
    stem_stride: Literal[1, 2] = 2
    act: str | tuple[str, Options] = ("relu", {"inplace": True})
    """As MONAI's factories name it, as of `norm`."""
    norm: str | tuple[str, Options] | None = "batch"
    """Options are numbers alone, see above."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability of dropping a value in training."""
    compressed_skips: bool = False


class Original2020Arguments(_NetworkPart):
    """Arguments of `model.network.original_2020`."""

    architecture: Literal["original_2020"] = "original_2020"
    in_channels: Literal[1, 3] = 3
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Probability of dropping a value in training."""


NetworkArguments = Annotated[
    DenseUNetArguments | Original2020Arguments, Field(discriminator="architecture")
]


class Normalisation(_Part):
    """The grey values at two percentiles of the whole image become -1 and 1."""

    low_percentile: Percentile = 1.0
    high_percentile: Percentile = 99.0
    """Both in percent of the pixels, the first below the second."""

    @property
    def percentiles(self) -> tuple[float, float]:
        """The lower and the higher one."""
        return self.low_percentile, self.high_percentile

    @model_validator(mode="after")
    def _in_order(self) -> "Normalisation":
        if self.low_percentile >= self.high_percentile:
            raise ValueError("low_percentile must be below high_percentile")
        return self


class TrainingData(_Part):
    """What the weights have seen; the hashes tell whether an image was among it."""

    summary: str = ""
    """In words."""
    image_hashes: tuple[str, ...] = ()
    """From `data.image_files.image_hash`."""


class Metric(_Part):
    """One figure: what was measured, which mean of it, on which data."""

    name: str
    mean: str
    value: float
    """Of what `name` says, averaged as `mean` says, on the images that `data` names."""
    data: str


class LearnedImage(_Part):
    """One image in the history of a model that learned beside the person who corrected."""

    image_hash: str
    """From `data.image_files.image_hash`."""
    error_on_arrival: float | None
    """1 - vein IoU of the model in use then, before anything was learned from the image; None where
    it had been seen already."""
    version: Annotated[int, Field(ge=0)]
    """Of the model in use then; 0 is the model that learning began with."""
    held_out: bool = False
    """Whether the image was only validated on."""


class ModelCard(_Part):
    """What stands in the header of a model file, as JSON."""

    package_version: str = __version__
    """Of the package that wrote it."""
    name: str = ""
    description: str = ""
    network: NetworkArguments = Field(default_factory=DenseUNetArguments)
    normalisation: Normalisation = Field(default_factory=Normalisation)
    working_vein_width: Annotated[float, Field(gt=0, le=1000)] = 6.0
    """Px: width of a vein as the network sees it."""
    scales: Annotated[tuple[Scale, ...], Field(min_length=1, max_length=4)] = (1.0,)
    """The probability is the mean of those with the vein width told this many times as wide; one to
    four different factors between a quarter and 4."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which a pixel is vein, in (0, 1)."""
    training_data: TrainingData = Field(default_factory=TrainingData)
    """What the weights have seen."""
    metrics: tuple[Metric, ...] = ()
    licence: str = "BSD-3-Clause"
    """SPDX identifier."""
    parent: str | None = None
    """The model that training started from."""
    history: tuple[LearnedImage, ...] = ()
    """The images in the order in which they came, of a model that learned beside its corrector."""

    @field_validator("scales")
    @classmethod
    def _each_once(cls, scales: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(scales)) < len(scales):
            raise ValueError("each scale must stand there once")
        return scales

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def format_version(self) -> int:
        """Of the file: the lowest that holds all of the card."""
        return 1 if self.scales == (1.0,) else 2

    @property
    def seen_widths(self) -> tuple[float, ...]:
        """Px: width of a vein as the network sees it, at each of the scales."""
        return tuple(self.working_vein_width / scale for scale in self.scales)

    @property
    def seen_widths_text(self) -> str:
        """The same in words, as `5 px` or `5 and 2.5 px`."""
        return " and ".join(f"{width:g}" for width in self.seen_widths) + " px"
