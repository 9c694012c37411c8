"""Which images and masks of a dataset belong together: those with the same stem."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.data.images import list_images
from napari_veinseg.data.sample import Fault
from napari_veinseg.data.samples_csv import is_stem


@dataclass(frozen=True)
class Pairing:
    """The files of a dataset by their stem.

    Parameters
    ----------
    images, masks : dict of str to list of Path
        More than one file under a stem is a fault; the first one counts.
    """

    images: dict[str, list[Path]]
    masks: dict[str, list[Path]]

    @classmethod
    def read(cls, dataset: Path) -> "Pairing":
        """Look into the folders of a dataset.

        Parameters
        ----------
        dataset : Path
            Holds `images/`, and `masks/` where there are any.

        Returns
        -------
        Pairing
            What lies there now.
        """
        masks = dataset / "masks"
        return cls(
            _by_stem(list_images(dataset / "images")),
            _by_stem(list_images(masks)) if masks.is_dir() else {},
        )

    @property
    def stems(self) -> list[str]:
        """The stems of whole samples, sorted."""
        return [stem for stem in sorted(self.images) if stem in self.masks and is_stem(stem)]

    def faults(self, listed: Iterable[str]) -> list[Fault]:
        """Tell which files are no sample, or an ambiguous one.

        Parameters
        ----------
        listed : iterable of str
            The stems that stand in `samples.csv`.

        Returns
        -------
        list of Fault
            Sorted by stem.
        """
        faults = []
        for stem in sorted({*self.images, *self.masks, *listed}):
            images, masks = self.images.get(stem, []), self.masks.get(stem, [])
            if not is_stem(stem):
                faults.append(Fault(stem, f"{stem!r} is a name that not every system can hold."))
            elif not images and not masks:
                faults.append(Fault(stem, f"{stem} stands in samples.csv but has no files."))
            elif not masks:
                faults.append(Fault(stem, f"{images[0]} has no mask."))
            elif not images:
                faults.append(Fault(stem, f"{masks[0]} has no image."))
            faults += [Fault(stem, sentence) for sentence in self.shared(stem)]
        return faults

    def shared(self, stem: str) -> list[str]:
        """Tell of files that nobody can choose between.

        Parameters
        ----------
        stem : str
            Their stem.

        Returns
        -------
        list of str
            A sentence for the images, and one for the masks, where there are several.
        """
        return [
            f"{' and '.join(path.name for path in files)} share a stem: delete all but one."
            for files in (self.images.get(stem, []), self.masks.get(stem, []))
            if len(files) > 1
        ]


def _by_stem(paths: list[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        found[path.stem].append(path)
    return dict(found)
