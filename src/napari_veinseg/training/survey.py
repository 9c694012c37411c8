"""What a dataset has to offer to a training, said before it starts."""

from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Fault, Pair, read_pairs


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
    warnings : tuple of str
        What should be looked at first.
    """

    train: int
    validation: int
    fingers: int
    vein_pixels: int
    optimistic: bool
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        fingers = f" of {self.fingers} fingers" if self.fingers else ""
        images = self.train + self.validation
        parts = [f"{images} images{fingers}, {self.vein_pixels:,} vein pixels."]
        if self.validation:
            parts.append(f"Trains on {self.train}, is judged on {self.validation}.")
        else:
            parts.append("Nothing is held out: there will be no validation figure.")
        if self.validation and self.optimistic:
            parts.append(
                "It is not known which images are of one finger: the score may be too good."
            )
        parts += _first_of("Not usable", [fault.message for fault in self.faults])
        parts += _first_of("Look at this first", self.warnings)
        return " ".join(parts)


def _first_of(what: str, sentences: tuple[str, ...] | list[str]) -> list[str]:
    if not sentences:
        return []
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    return [f"{what}: {sentences[0]}{more}"]


def survey(path: Path, finger_pattern: str | None = None) -> Survey:
    """Look through a dataset without changing it.

    Raises
    ------
    VeinSegError
        If it cannot be opened.
    """
    dataset = Dataset.open(path, finger_pattern)
    faults, warnings = dataset.left_out, []
    usable, vein_pixels = set(), 0
    for read in read_pairs(dataset):
        if isinstance(read, Pair):
            usable.add(read.sample.stem)
            vein_pixels += read.vein_pixels
            warnings += [read.warning] if read.warning else []
        else:
            faults.append(read)
    split = dataset.planned_split(usable=usable)
    validation = list(split.values()).count("validation")
    return Survey(
        len(usable) - validation,
        validation,
        len(dataset.fingers),
        vein_pixels,
        dataset.optimistic,
        tuple(faults),
        tuple(warnings),
    )
