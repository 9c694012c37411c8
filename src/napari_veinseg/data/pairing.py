"""Which images and masks of a dataset belong together: those with the same name.

Names are compared in Unicode's composed form (NFC), for macOS stores `ü` as two characters where
other systems store one.  A mask may say behind the name of its image what it is: `a_mask.png`
belongs to `a.jpg`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from unicodedata import normalize

from napari_veinseg.data.image_files import list_images
from napari_veinseg.data.sample import Fault
from napari_veinseg.data.samples_csv import is_stem

# What may stand behind the name of an image in the name of its mask, in any case.
_MASK_SUFFIXES = tuple(
    f"{sign}{word}"
    for sign in "_-. "
    for word in ("mask", "masks", "label", "labels", "seg", "gt", "veins")
)

Files = dict[str, list[Path]]


@dataclass(frozen=True)
class Pairing:
    """The files of a dataset by the name of their sample."""

    images: Files
    masks: Files
    """Files by stem; more than one makes it no sample: nobody can choose between them."""

    @classmethod
    def read(cls, dataset: Path) -> "Pairing":
        """Look into the folders of a dataset."""
        masks = dataset / "masks"
        images = _by_stem(list_images(dataset / "images"))
        return cls(images, masks_of(images, list_images(masks)) if masks.is_dir() else {})

    @property
    def stems(self) -> list[str]:
        """The names of the samples, sorted: those with one image and one mask."""
        return [
            stem
            for stem in sorted(self.images)
            if len(self.images[stem]) == len(self.masks.get(stem, [])) == 1 and is_stem(stem)
        ]

    def of(self, stem: str) -> tuple[list[Path], list[Path]]:
        """Give the images and the masks of a name."""
        return self.images.get(stem, []), self.masks.get(stem, [])

    def faults(self, listed: Iterable[str] = ()) -> list[Fault]:
        """Tell which files, and which of the names in `samples.csv`, are no sample, and why."""
        said = {
            stem: " ".join([*self._incomplete(stem), *self.shared(stem)])
            for stem in sorted({*self.images, *self.masks, *listed})
        }
        return [Fault(stem, why) for stem, why in said.items() if why]

    def _incomplete(self, stem: str) -> Iterator[str]:
        images, masks = self.of(stem)
        if not is_stem(stem):
            yield f"{stem!r} is a name that not every system can hold: rename it."
        elif not images and not masks:
            yield f"{stem} stands in samples.csv but has no files: delete the line or add them."
        elif not masks:
            yield f"{images[0]} has no mask{_near(stem, self.masks, self.images)}."
        elif not images:
            yield f"{masks[0]} has no image{_near(stem, self.images, self.masks)}."

    def shared(self, stem: str) -> list[str]:
        """Tell of the images, or masks, of one name that nobody can choose between."""
        return [
            f"{' and '.join(path.name for path in files)} share a stem: delete all but one."
            for files in self.of(stem)
            if len(files) > 1
        ]


def stem_of(path: Path) -> str:
    """Give the name under which an image is known: its stem in Unicode's composed form."""
    return normalize("NFC", path.stem)


def image_names(mask: str) -> list[str]:
    """Give what the image of a mask, by its stem, may be called; its own name is left out."""
    return [mask[: -len(end)] for end in _MASK_SUFFIXES if mask.lower().endswith(end)]


def masks_of(images: Iterable[str], masks: Iterable[Path]) -> Files:
    """Find the image that each mask belongs to: that of its name, or else of `image_names`."""
    known = set(images)
    found: dict[str, list[Path]] = defaultdict(list)
    for path in masks:
        stem = stem_of(path)
        image = next((each for each in (stem, *image_names(stem)) if each in known), stem)
        found[image].append(path)
    return dict(found)


def _by_stem(paths: Iterable[Path]) -> Files:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[stem_of(path)].append(path)
    return dict(found)


def _near(stem: str, others: Files, own: Files) -> str:
    """Name the file that was probably meant, of those that belong to nothing either."""
    lonely = [other for other in others if other not in own]
    extended = [other for other in lonely if _extends(other, stem) or _extends(stem, other)]
    near = get_close_matches(stem, lonely, n=1) or sorted(extended)[:1]
    return f"; {others[near[0]][0].name} has a similar name: give both the same" if near else ""


def _extends(longer: str, stem: str) -> bool:
    """Whether a name is another one and a suffix behind a mark, as in `a_label7` of `a`."""
    suffix = longer.removeprefix(stem)
    return bool(stem and suffix) and suffix != longer and not suffix[0].isalnum()
