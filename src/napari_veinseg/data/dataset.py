"""A dataset: the folder of images and masks that models are trained and judged on.

    images/          one image a file
    masks/           the mask of each image, under the same stem (see `pairing`)
    samples.csv      stem, finger, split, reviewed, source; made by the first writing command

Opening and reading never write.  Writing happens under a lock that the system takes back when its
holder dies, so that two programs can add to one dataset and a crash blocks nobody.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import Share
from napari_veinseg.data.finger_groups import compile_finger_pattern, finger_in
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mixed_folders import masks_beside
from napari_veinseg.data.pairing import Pairing
from napari_veinseg.data.sample import Fault, Sample, read_pairs, refuse_link_out
from napari_veinseg.data.sample_files import refuse_unsound, store_sample
from napari_veinseg.data.samples_csv import read_rows, write_rows
from napari_veinseg.data.split import draw_split
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import locked, sweep, writing


class Dataset:
    """A folder of images and masks; use `open` or `create`.

    A finger pattern, a regular expression whose first group is the finger in a stem, wins over
    `samples.csv`.  Without one, nothing is guessed from names.
    """

    def __init__(self, path: Path, finger_pattern: str | None = None) -> None:
        self.path = path
        self._pattern = compile_finger_pattern(finger_pattern)
        self._read()

    @classmethod
    def open(cls, path: str | Path, finger_pattern: str | None = None) -> Self:
        """Open a dataset without changing anything in it; `samples.csv` may be missing.

        Raise VeinSegError if it is no such folder, a part of it is a link out of it, or
        `samples.csv` or the pattern cannot be read.
        """
        path = Path(path)
        if not (path / "images").is_dir():
            mixed = masks_beside(list_images(path)) if path.is_dir() else []
            among = f"; {mixed[0].name} lies among its images" if mixed else ""
            raise VeinSegError(
                f"{path} is no dataset: it needs a folder 'images' and a folder 'masks' in "
                f"it{among}."
            )
        for part in ("images", "masks", "samples.csv"):
            refuse_link_out(path / part, path)
        return cls(path, finger_pattern)

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """Make an empty dataset, whose parent folder must exist, or open the one that is there.

        Raise VeinSegError if the folder holds something else or cannot be made.
        """
        path = Path(path)
        if not (path / "images").is_dir() and path.is_dir() and any(path.iterdir()):
            raise VeinSegError(f"{path} holds something else: choose a new or empty folder.")
        with writing(path):
            for folder in (path, path / "images", path / "masks"):
                folder.mkdir(exist_ok=True)
        return cls.open(path)

    def _read(self) -> None:
        self._rows = read_rows(self.path / "samples.csv")
        self._files = Pairing.read(self.path)
        self._samples = {stem: self._sample(stem) for stem in self._files.stems}

    def _sample(self, stem: str) -> Sample:
        row = self._rows.get(stem, {})
        return Sample(
            stem,
            self._files.images[stem][0],
            self._files.masks[stem][0],
            finger=finger_in(stem, self._pattern) or row.get("finger", ""),
            split=row.get("split", ""),
            reviewed=row.get("reviewed", "").lower() in ("yes", "true", "1"),
            source=row.get("source", ""),
        )

    @property
    def left_out(self) -> list[Fault]:
        """Why files, or rows of `samples.csv`, are no sample: none is opened for this."""
        return self._files.faults(self._rows)

    @property
    def why_empty(self) -> str:
        """What to tell of a dataset without a sample: what is missing, by its first example."""
        pair = f"{self.path} holds no pair of an image and a mask with the same name"
        if not (self.path / "masks").is_dir():
            mixed = masks_beside(list_images(self.path / "images"))
            among = f": {mixed[0].name} lies among the images" if mixed else ""
            return f"{pair}: there is no folder 'masks' beside 'images'{among}."
        example = f" ({self.left_out[0].message.rstrip('.')})" if self.left_out else ""
        return f"{pair}{example}: add some."

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def __contains__(self, stem: str) -> bool:
        return normalize("NFC", stem) in self._samples

    def __getitem__(self, stem: str) -> Sample:
        return self._samples[normalize("NFC", stem)]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, sorted by stem."""
        return tuple(self._samples.values())

    @property
    def train(self) -> tuple[Sample, ...]:
        """The samples to learn from."""
        return tuple(sample for sample in self if sample.split == "train")

    @property
    def validation(self) -> tuple[Sample, ...]:
        """The hold-out."""
        return tuple(sample for sample in self if sample.split == "validation")

    @property
    def fingers(self) -> tuple[str, ...]:
        """The known fingers, sorted."""
        return tuple(sorted({sample.finger for sample in self if sample.finger}))

    def add(
        self,
        stem: str,
        image: npt.ArrayLike,
        mask: npt.ArrayLike,
        *,
        finger: str | None = None,
        reviewed: bool = False,
        source: str = "",
        replace: bool = False,
        same_image: bool = False,
    ) -> Sample:
        """Add a sample, or replace one.

        Parameters
        ----------
        stem : str
            Its name, free of folders.
        image : array_like
            Shape `(Y, X)` or `(Y, X, 3 or 4)`; stored as it is.  An image that is stored already
            with the same pixels keeps its file.
        mask : array_like
            Shape `(Y, X)`: 0 background, 1 vein, 2 unsure.
        finger : str, optional
            The finger; by default what is known already.
        reviewed : bool, optional
            Whether somebody has accepted the mask.
        source : str, optional
            Where it came from.
        replace : bool, optional
            Replace the sample of that name; its split stays.
        same_image : bool, optional
            Replace it only where it shows the same image.

        Raises
        ------
        VeinSegError
            If the name is taken, shared by several files or impossible, the shapes differ, the
            mask holds other labels, or it cannot be written.
        """
        image, mask, stem = np.asarray(image), np.asarray(mask), normalize("NFC", stem)
        refuse_unsound(stem, image, mask)
        with self._writing():
            if stem in self._files.images and not replace:
                raise VeinSegError(f"{self.path} holds {stem!r} already: choose another name.")
            for sentence in self._files.shared(stem):
                raise VeinSegError(f"{self.path}: {sentence}")
            images, masks = self._files.of(stem)
            stored = None
            if same_image and images:  # also one that has no mask yet
                refuse_link_out(images[0], self.path)
                stored = read_image(images[0])
                if not np.array_equal(stored, image, equal_nan=True):
                    raise VeinSegError(
                        f"{self.path} holds another image called {stem!r}: choose another dataset "
                        "or give this file another name."
                    )
            store_sample(self.path, stem, image, mask, images, masks, stored)
            known = self._rows.get(stem, {"stem": stem})
            self._rows[stem] = known | {
                "finger": known.get("finger", "") if finger is None else finger,
                "reviewed": "yes" if reviewed else "no",
                "source": source or known.get("source", ""),
            }
        return self._samples[stem]

    def add_reviewed(
        self, stem: str, image: npt.ArrayLike, mask: npt.ArrayLike, source: str
    ) -> Sample:
        """Add a sample that somebody has accepted, in place of an earlier mask of the same image.

        See `add` for the arguments, and for what it raises.
        """
        return self.add(
            stem, image, mask, reviewed=True, source=source, replace=True, same_image=True
        )

    def planned_split(
        self, validation_share: Share = 0.2, seed: int = 0, usable: Collection[str] | None = None
    ) -> dict[str, str]:
        """Say where every sample stands or would be put, 'train' or 'validation'; write nothing.

        It draws as `split.draw_split`, among the usable stems, by default all: what cannot be read
        is no hold-out.
        """
        samples = [sample for sample in self if usable is None or sample.stem in usable]
        return draw_split(samples, validation_share, seed)

    def assign_split(
        self, validation_share: Share = 0.2, seed: int = 0, usable: Collection[str] | None = None
    ) -> None:
        """Put every sample where `planned_split` says, and keep it in `samples.csv`.

        Those that are not usable stay as they are.

        Raise VeinSegError if the share is out of its range, or `samples.csv` cannot be written.
        """
        planned = self.planned_split(validation_share, seed, usable)
        if planned and all(self[stem].split == side for stem, side in planned.items()):
            return  # nothing to draw: a folder that cannot be written will do
        with self._writing():
            split = self.planned_split(validation_share, seed, usable)
            for sample in self.samples:
                known = self._rows.get(sample.stem, {"stem": sample.stem, "reviewed": "no"})
                side = split.get(sample.stem, sample.split)
                self._rows[sample.stem] = known | {"finger": sample.finger, "split": side}

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock, start from what is on disk now, and write `samples.csv` at the end."""
        with writing(self.path), locked(self.path):
            for part in ("images", "masks"):
                sweep(self.path / part)
            self._read()
            yield
            write_rows(self.path / "samples.csv", self._rows)
            self._read()

    def faults(self) -> list[Fault]:
        """List unpaired, ambiguous, unreadable or mismatching files and empty masks, by stem."""
        faulty = [each for each in read_pairs(self.samples) if isinstance(each, Fault)]
        return sorted([*self.left_out, *faulty], key=lambda fault: fault.stem)
