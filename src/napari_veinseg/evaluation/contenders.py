"""What is compared: models, folders of masks and classical baselines, all asked the same way."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import ImageArray
from napari_veinseg.data.grey import to_grey, without_gaps
from napari_veinseg.data.image_files import list_images
from napari_veinseg.data.mask_files import read_drawn_mask
from napari_veinseg.data.mixed_folders import list_masks
from napari_veinseg.data.pairing import masks_of, stem_of
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.baselines import BASELINES, baseline_score
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.model.card import ModelCard
from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.wording import counted

if TYPE_CHECKING:
    from napari_veinseg.segmentation.vein_model import VeinModel

Kind = Literal["model", "masks", "baseline"]
_USUAL = SegmentationSettings()


class ScoredMask(NamedTuple):
    """What a contender says of an image."""

    mask: NDArray[np.uint8]
    """`(Y, X)`: 0 background, 1 vein, 2 unsure (only masks that people drew)."""
    score: NDArray[np.float32] | None
    """`(Y, X)` in [0, 1], the higher the more likely vein; None of drawn masks."""
    numbered: bool = False
    """Whether label 2 of a drawn mask may be a second piece, see `mask_files`."""


@dataclass(frozen=True)
class Model:
    """A model with its usual settings."""

    name: str
    model: "VeinModel"
    settings: SegmentationSettings = _USUAL
    kind: ClassVar[Kind] = "model"

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self.model.card

    def predict(self, sample: Sample, image: ImageArray) -> ScoredMask:  # noqa: ARG002
        """Segment an image; the sample is not needed."""
        predicted = self.model.predict(image, self.settings)
        return ScoredMask(predicted.mask, predicted.probability)


@dataclass(frozen=True)
class MaskFolder:
    """Masks that somebody or something else has made, found by their stems."""

    name: str
    folder: Path
    kind: ClassVar[Kind] = "masks"
    card: ClassVar[ModelCard | None] = None
    files: Mapping[str, Path] = field(default_factory=dict)
    """The mask of each image by the image's stem, once `with_files_of` has looked."""

    def predict(self, sample: Sample, image: ImageArray) -> ScoredMask:  # noqa: ARG002
        """Read the mask of a sample; the image is not needed."""
        path = self.files[stem_of(sample.image_path)]
        try:
            mask, numbered = read_drawn_mask(path)
        except VeinSegError as error:
            told = str(error).replace(str(path), f"the mask of {sample.stem} in '{self.name}'")
            raise VeinSegError(told) from error
        return ScoredMask(mask, None, numbered)

    def with_files_of(self, samples: Iterable[Sample]) -> Self:
        """Look once for the masks of all samples, or refuse the folder.

        Of one alone nobody knows whether `a_mask` is a mask of `a` or of another image.
        """
        stems = [stem_of(sample.image_path) for sample in samples]  # reports may call them else
        found = masks_of(stems, list_masks(self.folder))
        for stem in stems:
            number = len(found.get(stem, ()))
            if number != 1:
                raise VeinSegError(
                    f"{self.folder} holds {counted(number, 'mask')} named {stem!r}: give one for "
                    "each evaluated image."
                )
        return replace(self, files={stem: found[stem][0] for stem in stems})


@dataclass(frozen=True)
class Baseline:
    """A classical vein extractor, by its key of `BASELINES`."""

    name: str
    settings: SegmentationSettings = _USUAL
    kind: ClassVar[Kind] = "baseline"
    card: ClassVar[ModelCard | None] = None

    def predict(self, sample: Sample, image: ImageArray) -> ScoredMask:  # noqa: ARG002
        """Filter an image: the strongest tenth of its pixels is vein."""
        grey = without_gaps(to_grey(image, self.settings.channel, self.settings.invert))
        score = baseline_score(self.name, grey, estimate_vein_width(grey))
        return ScoredMask(mask_from_probability(score, 0.5), score)


Contender = Model | MaskFolder | Baseline


def gather_contenders(
    models: Sequence[str] = (),
    mask_folders: Sequence[Path] = (),
    baselines: bool = False,
    device: str = "auto",
    settings: SegmentationSettings = _USUAL,
    load: "Callable[[str], VeinModel] | None" = None,
) -> list[Contender]:
    """Load what is to be compared."""
    found: list[Contender] = []
    if models:
        from napari_veinseg.segmentation.vein_model import VeinModel

        load = load or partial(VeinModel.load, device=device)
        found += [Model(Path(each).stem, load(each), settings) for each in models]
    for folder in mask_folders:
        list_images(folder)  # refuses a folder that is not there before any work
        found.append(MaskFolder(folder.resolve().name, folder))
    if baselines:
        found += [Baseline(name, settings) for name in BASELINES]
    if not found:
        raise VeinSegError("There is nothing to evaluate: name a model, masks or the baselines.")
    return _unique_names(found)


def _unique_names(contenders: Sequence[Contender]) -> list[Contender]:
    """Give a number to those that share a name."""
    names = Counter(each.name for each in contenders)
    return [
        replace(each, name=f"{each.name} ({number})") if names[each.name] > 1 else each
        for number, each in enumerate(contenders, start=1)
    ]
