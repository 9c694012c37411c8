"""A dataset: the folder of images and masks that models are trained and judged on.

    images/          one image a file
    masks/           the mask of each image, under the same stem
    samples.csv      stem, finger, split, reviewed, source; made by the first writing command

Opening and reading never write.  Writing happens under a lock that the system takes back when its
holder dies, so that two programs can add to one dataset and a crash blocks nobody.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.fingers import compile_finger_pattern
from napari_veinseg.data.images import read_image, write_image, write_mask
from napari_veinseg.data.pairing import Pairing
from napari_veinseg.data.sample import Fault, Sample, fault_of, refuse_link_out
from napari_veinseg.data.samples_csv import Row, is_stem, read_rows, write_rows
from napari_veinseg.data.split import complete_split, leaking_groups
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path, locked, sweep


class Dataset:
    """A folder of images and masks; use `open` or `create`.

    Parameters
    ----------
    path : Path
        The folder.
    finger_pattern : str or None
        A regular expression whose first group is the finger in a stem; it wins over
        `samples.csv`.  Without one, nothing is guessed from names.
    """

    def __init__(self, path: Path, finger_pattern: str | None = None) -> None:
        self.path = path
        self._pattern = compile_finger_pattern(finger_pattern)
        self._read()

    @classmethod
    def open(cls, path: str | Path, finger_pattern: str | None = None) -> Self:
        """Open a dataset without changing anything in it.

        Parameters
        ----------
        path : str or Path
            A folder with `images/` and `masks/`; `samples.csv` may be missing.
        finger_pattern : str, optional
            A regular expression whose first group is the finger in a stem.

        Returns
        -------
        Dataset
            Its samples, sorted by stem.

        Raises
        ------
        VeinSegError
            If it is no such folder, a part of it is a link out of it, or `samples.csv` or the
            pattern cannot be read.
        """
        path = Path(path)
        if not (path / "images").is_dir():
            raise VeinSegError(
                f"{path} is no dataset: it needs a folder 'images' and a folder 'masks' in it."
            )
        for part in ("images", "masks", "samples.csv"):
            refuse_link_out(path / part, path)
        return cls(path, finger_pattern)

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """Make an empty dataset, or open the one that is there.

        Parameters
        ----------
        path : str or Path
            The folder to make; its parent must exist.

        Returns
        -------
        Dataset
            The dataset.

        Raises
        ------
        VeinSegError
            If the folder holds something else or cannot be made.
        """
        path = Path(path)
        if not (path / "images").is_dir() and path.is_dir() and any(path.iterdir()):
            raise VeinSegError(f"{path} holds something else: choose a new or empty folder.")
        try:
            for folder in (path, path / "images", path / "masks"):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise VeinSegError(f"{path} cannot be made ({error.strerror}): choose another.") from (
                error
            )
        return cls.open(path)

    def _read(self) -> None:
        self._rows = read_rows(self.path / "samples.csv")
        self._files = Pairing.read(self.path)
        self._samples = {stem: self._sample(stem) for stem in self._files.stems}

    def _sample(self, stem: str) -> Sample:
        row = self._rows.get(stem, {})
        named = self._pattern.search(stem) if self._pattern else None
        return Sample(
            stem,
            self._files.images[stem][0],
            self._files.masks[stem][0],
            finger=(named[1] if named else None) or row.get("finger", ""),
            split=row.get("split", ""),
            reviewed=row.get("reviewed", "").lower() in ("yes", "true", "1"),
            source=row.get("source", ""),
        )

    def __len__(self) -> int:
        return len(self._samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def __contains__(self, stem: str) -> bool:
        return stem in self._samples

    def __getitem__(self, stem: str) -> Sample:
        return self._samples[stem]

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

    @property
    def optimistic(self) -> bool:
        """Whether near duplicates may stand on both sides of the split.

        So it is when a finger is unknown or there are fewer than two (the split goes by image
        then), and when a finger was split before it became known as one.
        """
        groups = {sample.stem: sample.finger for sample in self}
        split = {sample.stem: sample.split for sample in self}
        unknown = "" in groups.values() or len(set(groups.values())) < 2
        return unknown or bool(leaking_groups(groups, split))

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

        Returns
        -------
        Sample
            The stored sample.

        Raises
        ------
        VeinSegError
            If the name is taken, shared by several files or impossible, the shapes differ, or it
            cannot be written.
        """
        image, mask = np.asarray(image), np.asarray(mask)
        if not is_stem(stem):
            raise VeinSegError(f"{stem!r} cannot be the name of a sample: use a plain file name.")
        if image.shape[:2] != mask.shape:
            raise VeinSegError(
                f"{stem}: the image is {image.shape[:2]} and the mask {mask.shape}; "
                "give both the same size."
            )
        with self._writing():
            if stem in self._files.images and not replace:
                raise VeinSegError(f"{self.path} holds {stem!r} already: choose another name.")
            for sentence in self._files.shared(stem):
                raise VeinSegError(f"{self.path}: {sentence}")
            other = same_image and stem in self and not np.array_equal(self[stem].image(), image)
            if other:
                raise VeinSegError(
                    f"{self.path} holds another image called {stem!r}: choose another dataset or "
                    "give this file another name."
                )
            self._store(stem, image, mask)
            known = self._rows.get(stem, {"stem": stem})
            self._rows[stem] = known | {
                "finger": known.get("finger", "") if finger is None else finger,
                "reviewed": "yes" if reviewed else "no",
                "source": source or known.get("source", ""),
            }
        return self._samples[stem]

    def _store(self, stem: str, image: npt.NDArray[Any], mask: npt.NDArray[Any]) -> None:
        files = self._files
        old_images, old_masks = files.images.get(stem, []), files.masks.get(stem, [])
        new_image, new_mask = (self.path / room / f"{stem}.tif" for room in ("images", "masks"))
        if len(old_images) == 1 and _holds(old_images[0], image):
            new_image = old_images[0]
            write_mask(new_mask, mask)
        else:
            # Both are written in full before either takes its place.
            with atomic_path(new_image) as whole_image, atomic_path(new_mask) as whole_mask:
                write_image(whole_image, image)
                write_mask(whole_mask, mask)
        for old in {*old_images, *old_masks} - {new_image, new_mask}:
            old.unlink(missing_ok=True)

    def planned_split(self, validation_share: float = 0.2, seed: int = 0) -> dict[str, str]:
        """Say where every sample stands or would be put, without writing anything.

        With fewer than two known fingers, and for samples of an unknown one, it goes by image.
        What stands in `samples.csv` never moves.

        Parameters
        ----------
        validation_share : float, optional
            The share of samples to hold out, in [0, 0.5].
        seed : int, optional
            Seed of the draw.

        Returns
        -------
        dict of str to str
            'train' or 'validation' by stem.

        Raises
        ------
        VeinSegError
            If the share is out of its range.
        """
        if not 0 <= validation_share <= 0.5:
            raise VeinSegError(f"The validation share {validation_share} is not in [0, 0.5].")
        by_finger = len(self.fingers) > 1
        # A line break cannot stand in a stem: no finger is mistaken for an image.
        groups = {
            sample.stem: (by_finger and sample.finger) or f"\n{sample.stem}" for sample in self
        }
        assigned = {sample.stem: sample.split for sample in self if sample.split}
        return complete_split(groups, assigned, validation_share, seed)

    def assign_split(self, validation_share: float = 0.2, seed: int = 0) -> None:
        """Put every sample where `planned_split` says, and keep it in `samples.csv`.

        Parameters
        ----------
        validation_share : float, optional
            The share of samples to hold out, in [0, 0.5].
        seed : int, optional
            Seed of the draw.
        """
        if self._samples and all(sample.split for sample in self):
            return  # nothing to draw: a folder that cannot be written will do
        with self._writing():
            split = self.planned_split(validation_share, seed)
            for sample in self.samples:
                self._rows[sample.stem] = self._rows.get(sample.stem, {}) | _row(
                    sample, split[sample.stem]
                )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the lock, start from what is on disk now, and write `samples.csv` at the end."""
        try:
            with locked(self.path):
                for part in ("images", "masks"):
                    sweep(self.path / part)
                self._read()
                yield
                write_rows(self.path / "samples.csv", self._rows)
                self._read()
        except OSError as error:
            raise VeinSegError(
                f"{self.path} was not written ({error.strerror or error}): check rights and space."
            ) from error

    def faults(self, progress: Callable[[int, int], None] | None = None) -> list[Fault]:
        """Look through all files for what cannot be used.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of samples done and of all.

        Returns
        -------
        list of Fault
            Unpaired, ambiguous, unreadable or mismatching files and masks without a vein, sorted
            by stem.
        """
        faults = self._files.faults(self._rows)
        with ThreadPoolExecutor() as pool:
            for done, fault in enumerate(pool.map(fault_of, self.samples), start=1):
                if fault:
                    faults.append(fault)
                if progress:
                    progress(done, len(self))
        return sorted(faults, key=lambda fault: fault.stem)


def _holds(path: Path, image: npt.NDArray[Any]) -> bool:
    try:
        stored = read_image(path)
    except VeinSegError:
        return False
    return stored.dtype == image.dtype and np.array_equal(stored, image)


def _row(sample: Sample, split: str) -> Row:
    return {
        "stem": sample.stem,
        "finger": sample.finger,
        "split": split,
        "reviewed": "yes" if sample.reviewed else "no",
        "source": sample.source,
    }
