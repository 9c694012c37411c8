"""What a dataset has to offer to a training, said before it starts."""

from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.labels import VEIN
from napari_veinseg.data.sample import Fault


@dataclass(frozen=True)
class Survey:
    """Counts of a dataset.

    Parameters
    ----------
    train, validation : int
        Images to learn from, and held out.
    fingers : int
        Known fingers.
    vein_pixels : int
        Of all usable masks.
    optimistic : bool
        Whether near duplicates may stand on both sides.
    faults : tuple of Fault
        What cannot be used.
    """

    train: int
    validation: int
    fingers: int
    vein_pixels: int
    optimistic: bool
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        fingers = f" of {self.fingers} fingers" if self.fingers else ""
        images = self.train + self.validation
        parts = [f"{images} images{fingers}, {self.vein_pixels:,} vein pixels."]
        if self.validation:
            parts.append(f"Trains on {self.train}, is judged on {self.validation}.")
        else:
            parts.append("Nothing is held out: there will be no validation figure.")
        if self.validation and self.optimistic:
            parts.append("Not all fingers are known or apart: the score will be optimistic.")
        if self.faults:
            more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            parts.append(f"Not usable: {self.faults[0].message}{more}")
        return " ".join(parts)


def survey(path: Path, finger_pattern: str | None = None) -> Survey:
    """Look through a dataset without changing it.

    Parameters
    ----------
    path : Path
        Its folder.
    finger_pattern : str, optional
        A regular expression whose first group is the finger in a stem.

    Returns
    -------
    Survey
        The counts.

    Raises
    ------
    VeinSegError
        If it cannot be opened.
    """
    dataset = Dataset.open(path, finger_pattern)
    faults = tuple(dataset.faults())
    faulty = {fault.stem for fault in faults}
    usable = [sample for sample in dataset if sample.stem not in faulty]
    split = dataset.planned_split()
    validation = sum(split[sample.stem] == "validation" for sample in usable)
    return Survey(
        len(usable) - validation,
        validation,
        len(dataset.fingers),
        sum(int((sample.mask() == VEIN).sum()) for sample in usable),
        dataset.optimistic,
        faults,
    )
